import type { Bump } from "../change/bump.js";
import { KaiError } from "../error.js";
import type { ObjectReader } from "../git/object-reader.js";
import { readablePath } from "../system/path-bytes.js";
import { CONFIG_FILE } from "./agent-repository.js";
import { liveStateOf } from "./live-state.js";
import { requireMovableBranch } from "./movable-branch.js";
import { chooseNumber, comesIntoForce, numberPolicy } from "./next-number.js";
import type { VersionNumber } from "./number.js";
import { type PendingChanges, readPendingChanges } from "./pending-changes.js";
import type { VersionType } from "./record.js";
import { type TagName, tagFormat, tagNameFor } from "./tag-name.js";
import { findConfigFile } from "./version-config.js";
import { requireCommit, requireWholeHistory, type WorkTreeStatus } from "./work-tree-status.js";
import type { WritingSession } from "./writing-session.js";

export interface CreateRequest {
  readonly type: Exclude<VersionType, "rollback"> | undefined;
  readonly bump: Exclude<Bump, "none"> | undefined;
  readonly exact: VersionNumber | undefined;
  readonly description: string | undefined;
  readonly tags: readonly string[];
  readonly includeChanges: boolean;
  readonly allowUnchanged: boolean;
  readonly moveCurrent: boolean;
  /** Stop and start the running agent by its commands although nobody confirmed the trust root. */
  readonly trustCommands: boolean;
  readonly dryRun: boolean;
  /** Give up no state of older versions, whatever `artifacts.state.keep` says: one of them is about to be gone back to. */
  readonly forgetsNothing?: boolean;
  /** Asked under the lock what the version is for, in place of `description`; where that is nothing (any more), none is made. */
  readonly occasion?: ((session: WritingSession) => Promise<string | undefined>) | undefined;
}

/** What a new version will be: decided before anything is written. */
export interface Decision {
  readonly status: WorkTreeStatus;
  readonly head: string;
  readonly branch: string | undefined;
  readonly pending: PendingChanges;
  /** The bump that the changes ask for; `none` where change_detection is off. */
  readonly required: Bump;
  readonly number: VersionNumber;
  readonly tag: TagName;
  readonly type: Exclude<VersionType, "rollback">;
  readonly current: boolean;
  readonly withChanges: boolean;
  readonly description: string | undefined;
}

/** Decides what `create` makes of HEAD, or of a `brought` commit on top of it. E102 for changes that are not committed, E105 without kai.yaml in the commit, E108 for a number that cannot be had, E109 where nothing is new, or there is no occasion. */
export async function decideCreation(
  session: WritingSession,
  request: CreateRequest,
  brought?: string,
): Promise<Decision> {
  const { repository, config } = session.agent;
  const settings = config.version_management.semantic_versioning;
  const description = request.occasion ? await requireOccasion(session, request.occasion) : request.description;
  requireWholeHistory(repository);
  const status = await session.status;
  const head = brought ?? requireCommit(status);
  const withChanges = request.includeChanges && (status.dirty.length > 0 || status.untracked.length > 0);
  if (!withChanges) await requireConfig(session.reader, head);
  else if (session.agent.configFrom !== undefined) throw withoutConfig();
  const branch = withChanges ? await requireMovableBranch(repository, status) : (status.branch ?? undefined);
  const isLiveState = liveStateOf(config);
  const dirty = status.dirty.filter((name) => !isLiveState(name));
  if (dirty.length > 0 && !request.includeChanges) throw notCommitted(dirty);
  const pending = await readPendingChanges(repository, session.history, head);
  if (!request.allowUnchanged && !withChanges) await requireNews(session, pending, head);
  const required = settings.change_detection ? pending.verdict.required : "none";
  const number = chooseNumber(session.history, pending.inForce, required, request, numberPolicy(settings));
  return {
    status,
    head,
    branch,
    pending,
    required,
    number,
    tag: tagNameFor(number, tagFormat(settings.tag_format)),
    type: request.type ?? "auto",
    current: request.moveCurrent && comesIntoForce(session.history, number),
    withChanges,
    description,
  };
}

/** Refuses (E105) a commit or tree whose kai.yaml is none, or no file: once such a version were in force, the repository would be no agent. */
export async function requireConfig(reader: ObjectReader, tree: string): Promise<void> {
  const content = await findConfigFile(reader, tree);
  if (content === undefined) throw withoutConfig();
  if (content !== null) return;
  throw new KaiError(
    "E105",
    `The ${CONFIG_FILE} that would be versioned is no file: what a link leads to is in no version.`,
    {
      hint: `\`readlink ${CONFIG_FILE}\` says where it leads. Put the agent's own settings in its place and commit them.`,
    },
  );
}

const withoutConfig = (): KaiError =>
  new KaiError("E105", `What would be versioned has no ${CONFIG_FILE}: nobody could say what that version is.`, {
    hint: `Commit it first: \`git add ${CONFIG_FILE} && git commit\`. Where it is gone, \`git checkout COMMIT -- ${CONFIG_FILE}\` brings it back.`,
  });

async function requireOccasion(
  session: WritingSession,
  occasion: NonNullable<CreateRequest["occasion"]>,
): Promise<string> {
  const description = await occasion(session);
  if (description !== undefined) return description;
  throw new KaiError("E109", "There is no occasion for a version.");
}

async function requireNews(session: WritingSession, pending: PendingChanges, head: string): Promise<void> {
  const { inForce } = pending;
  if (inForce === undefined) return;
  const [here, there] = await Promise.all(
    [head, inForce.commit].map((commit) => session.reader.find(`${commit}^{tree}`)),
  );
  if (here?.id !== there?.id) return;
  throw new KaiError("E109", `Nothing has changed since ${inForce.tag}.`, {
    hint: "Commit a change first; `--allow-unchanged` makes a version of the same content.",
  });
}

function notCommitted(paths: readonly string[]): KaiError {
  const shown = paths.slice(0, 5).map(readablePath).join(", ");
  return new KaiError(
    "E102",
    `Files were changed and not committed: ${shown}${paths.length > 5 ? `, and ${paths.length - 5} more` : ""}.`,
    {
      hint: "Commit them with `git commit`, or let `--include-changes` do it.",
      data: { paths: paths.map(readablePath) },
    },
  );
}
