import { ulid } from "ulid";
import { KaiError } from "../error.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import type { PerformedOperation } from "../operation/operation.js";
import { findStat, readablePath } from "../system/path-bytes.js";
import type { Signer } from "../trust/signer.js";
import type { History, KnownVersion } from "../version/history.js";
import type { RunningPlace } from "../version/running-places.js";
import { versionFact } from "../version/version-fact.js";
import type { WritingSession } from "../version/writing-session.js";
import { type AgentChange, AgentsChange, type StartedChange } from "./agents-change.js";
import { planBlueGreen } from "./blue-green.js";
import type { Deployment } from "./deployment.js";
import { folderOf } from "./ensure-deployment.js";
import { listOthers, type Switch } from "./list-others.js";
import { type PrunedDeployments, pruneDeployments } from "./prune-deployments.js";
import { requireRoot } from "./require-root.js";
import { switchDeployment } from "./switch-deployment.js";

export interface PerformedDeployment extends PrunedDeployments {
  /** What `current` led to before; null for nothing. */
  readonly previous: string | null;
  /** Null in a dry run, and where the folder was there and `current` led to it already. */
  readonly operation: string | null;
  /** Whether the folder was, or has to be, written. */
  readonly written: boolean;
  /** Paths whose content is not in the folder: Git LFS pointers and submodules. Known when it is written; empty in a dry run. */
  readonly incomplete: readonly string[];
  /** The version's agent, well before the switch; null where no command starts it. */
  readonly started: StartedChange | null;
  /** The agent that ran before, ended after the switch; null where none did. */
  readonly stopped: AgentChange | null;
  /** Where else agents run on that were started here, because no command was run that would end them. */
  readonly runsOn: readonly Pick<RunningPlace, "folder" | "processes">[];
}

/** What is deployed where, validated, and in place of what; for no version `current` goes. */
export interface DeploymentPlan extends Switch {
  /** What the operation is in the log. */
  readonly kind: "deploy" | "undo";
  /** Its subject there, and the version on whose commit a note tells of it. */
  readonly subject: string;
  readonly about: KnownVersion;
  /** What its entry says beside the deployment. */
  readonly more: Readonly<Record<string, unknown>>;
  /** Whether the agent of the working tree runs in place of what was deployed. */
  readonly startHere?: boolean;
}

export interface CommandOptions {
  /** Run the version's commands although nobody confirmed the trust root. */
  readonly trustCommands: boolean;
  /** Run none of the version's commands: write its folder and switch. */
  readonly noCommands: boolean;
}

const NOTHING_DONE = {
  operation: null,
  incomplete: [],
  removed: [],
  changed: [],
  started: null,
  stopped: null,
  runsOn: [],
};

/** Detail of the log: the working tree whose agent ended by it, absolute. */
export const ENDED_IN = "endedIn";

/** What would be done. */
export async function foreseeDeployment(
  session: WritingSession,
  plan: DeploymentPlan,
  { noCommands }: Pick<CommandOptions, "noCommands">,
): Promise<PerformedDeployment> {
  const { root, version, previous } = plan;
  await requireRoot(session, root);
  const pruned = await prune(session, plan, true);
  const written = version !== null && (await findStat(folderOf(root, version))) === undefined;
  const runsOn = noCommands ? await whatRunsOn(session, plan) : [];
  return { ...NOTHING_DONE, previous, written, runsOn, ...pruned };
}

const whatRunsOn = async (session: WritingSession, plan: DeploymentPlan): Promise<PerformedDeployment["runsOn"]> =>
  (await listOthers(session, plan)).map(({ folder, processes }) => ({ folder, processes }));

/**
 * Makes the version's folder ready, starts its agent and switches `current`, as one operation. E126 where the agent is not well,
 * and the log tells of it: nothing was switched, or the error's `operation` did and it was not well any more behind that.
 */
export async function performDeployment(
  session: WritingSession,
  plan: DeploymentPlan,
  { trustCommands, noCommands }: CommandOptions,
): Promise<PerformedDeployment> {
  const { root, version, previous, kind, startHere } = plan;
  const signer = await session.openSigner("operator");
  const commands = { root, version, previous, key: signer.fingerprint, trustCommands, startHere };
  const agents = noCommands ? undefined : await planBlueGreen(session, commands);
  const install = agents?.install ?? undefined;
  const planned = await switchDeployment(session, { root: root.root, version, event: kind, install });
  const { link, written } = planned;
  const incomplete = planned.deployment === null ? [] : incompleteIn(planned.deployment);
  const change = new AgentsChange(agents, planned);
  const runsOn = noCommands ? await whatRunsOn(session, plan) : [];
  const done = () => ({ previous, written, incomplete, runsOn, ...change.told });
  // A folder that was written anew is told in the log, which holds the digest of what was installed there.
  if (link === null && !written) {
    const work = async () => {
      await change.start();
      // What a deployment that was killed left running.
      await change.stopOthers();
      change.requireSurvived(null);
    };
    await logFailure(session, plan, signer, { switched: null, work });
    return { ...NOTHING_DONE, ...done() };
  }
  session.caller.progress(`Switching ${root.current}`);
  const told = {
    ...(noCommands && { noCommands }),
    ...(agents?.endsHere && { [ENDED_IN]: session.agent.repository.workTree }),
  };
  const details = { ...planned.details, ...told, ...plan.more };
  const entry = await versionFact(session, signer, { ...plan, id: session.id, details });
  const requireTime = () => session.caller.interrupted?.throwIfAborted();
  const work = () => session.perform({ ...entry, live: change.live, requireTime }, signer);
  const switched = await logFailure(session, plan, signer, { switched: null, work });
  await logFailure(session, plan, signer, { switched, work: async () => change.requireSurvived(session.id) });
  return { ...done(), operation: session.id, ...(await prune(session, plan, false)) };
}

/** That the new agent was not well is an entry of the log, on top of the operation that had `switched` to it. */
async function logFailure<T>(
  session: WritingSession,
  { root, version, subject, about }: DeploymentPlan,
  signer: Signer,
  { switched, work }: { readonly switched: PerformedOperation | null; readonly work: () => Promise<T> },
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof KaiError && cause.code === "E126") {
      const [of, to] = [switched?.id ?? null, version?.number.text ?? null];
      const details = { kind: "deploy", of, ok: false, version: to, root: root.root, error: cause.message };
      const what = switched === null ? `failed to ${subject}` : `outcome of ${subject}: failed`;
      const told = { kind: "outcome", subject: what, about, details } as const;
      const entry = versionFact(session, signer, { ...told, id: ulid(session.at.getTime()) });
      const log = switched && { log: { head: switched.entry, seq: switched.seq, at: switched.at } };
      // Where that fails, too, what it should tell is still thrown.
      await entry.then((operation) => session.perform({ ...operation, ...log }, signer)).catch(() => {});
    }
    throw cause;
  }
}

function prune(
  { agent, history, id, log }: WritingSession,
  { root, version, previous }: DeploymentPlan,
  dryRun: boolean,
) {
  return pruneDeployments(root, {
    keep: agent.config.deploy.keep,
    needed: [version?.number.text ?? null, previous],
    repo: log.entry.repo,
    deployedAt: (folder) => deployedAt(history, folder),
    staging: kaiFolderOf(agent.repository).staging,
    operation: id,
    dryRun,
  });
}

const deployedAt = (history: History, folder: string): Date | undefined => {
  const entry = history.findEntry(({ details }) => details["path"] === folder);
  return entry && new Date(entry.at);
};

const incompleteIn = ({ seal, submodules }: Deployment): string[] => [
  ...seal.record.lfs.map((pointer) => pointer.path),
  ...submodules.map(readablePath),
];
