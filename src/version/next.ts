import type { Bump } from "../change/bump.js";
import type { Finding } from "../change/verdict.js";
import type { OnConfigGone } from "./agent-repository.js";
import { chooseNumber, highestVersion, numberPolicy } from "./next-number.js";
import { readPendingChanges } from "./pending-changes.js";
import { readAgentHistory } from "./reading.js";
import { readStatus, requireCommit, requireWholeHistory } from "./work-tree-status.js";

export interface NextVersion {
  readonly latest: string | null;
  readonly current: string | null;
  /** `none` where change_detection is off: then the reasons are there to be read, and ask for nothing. */
  readonly required: Bump;
  readonly changeDetection: boolean;
  /** Null where nothing came since the version in force. */
  readonly next: string | null;
  readonly reasons: readonly Finding[];
}

/** The number that `create` would take, and the findings that ask for it. */
export async function readNext(cwd: string, env: NodeJS.ProcessEnv, onConfigGone?: OnConfigGone): Promise<NextVersion> {
  const { agent, history } = await readAgentHistory(cwd, env, onConfigGone);
  const { repository, config } = agent;
  requireWholeHistory(repository);
  const head = requireCommit(await readStatus(repository, "no"));
  const pending = await readPendingChanges(repository, history, head);
  const settings = config.version_management.semantic_versioning;
  const required = settings.change_detection ? pending.verdict.required : "none";
  const nothing = pending.inForce !== undefined && pending.commits.length === 0;
  const wish = { type: undefined, bump: undefined, exact: undefined };
  return {
    latest: highestVersion(history)?.number.text ?? null,
    current: history.current?.version ?? null,
    required,
    changeDetection: settings.change_detection,
    next: nothing ? null : chooseNumber(history, pending.inForce, required, wish, numberPolicy(settings)).text,
    reasons: pending.verdict.findings,
  };
}
