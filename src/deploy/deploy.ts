import path from "node:path";
import { KaiError } from "../error.js";
import { stageLinks } from "../operation/apply-links.js";
import type { LoggedEntry } from "../operation/entry.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import type { LiveChange } from "../operation/live-change.js";
import type { CommandOutcome } from "../system/agent-process.js";
import { findStat, readablePath } from "../system/path-bytes.js";
import { canonicalFolder, configuredRoot } from "../version/deployment-place.js";
import { type DeploymentRoot, deploymentRoot, readCurrentLink, versionOfLink } from "../version/deployment-root.js";
import { findAsked } from "../version/find-asked.js";
import type { History, KnownVersion } from "../version/history.js";
import { validateVersion } from "../version/validate-version.js";
import { type Caller, provingOf, type WritingSession, withWritingSession } from "../version/writing-session.js";
import { commandFailed, planBlueGreen } from "./blue-green.js";
import type { Deployment } from "./deployment.js";
import { type DeploymentEntry, deploymentEntry } from "./deployment-entry.js";
import { folderOf } from "./ensure-deployment.js";
import { pruneDeployments } from "./prune-deployments.js";
import { type PlannedSwitch, switchDeployment } from "./switch-deployment.js";

export interface DeployOptions {
  /** A number, a tag, or `current`. */
  readonly version: string;
  /** Relative to the caller's folder; default: `deploy.root`. */
  readonly to: string | undefined;
  /** Run the version's commands although nobody confirmed the trust root. */
  readonly trustCommands: boolean;
  /** Run none of the version's commands: write its folder and switch. */
  readonly noCommands: boolean;
  readonly dryRun: boolean;
}

/** What became of starting or stopping an agent. */
export interface AgentChange {
  readonly ok: boolean;
  readonly durationMs: number;
  readonly error: string | null;
}

export interface DeployedVersion {
  readonly version: string;
  readonly tag: string;
  /** The version's folder. */
  readonly path: string;
  /** What `current` led to before; null for nothing. */
  readonly previous: string | null;
  /** Null in a dry run, and where the folder was there and `current` led to it already. */
  readonly operation: string | null;
  /** Whether the folder was, or has to be, written. */
  readonly written: boolean;
  /** Paths whose content is not in the folder: Git LFS pointers and submodules. Known when it is written; empty in a dry run. */
  readonly incomplete: readonly string[];
  /** Versions whose folders were removed, or would be. */
  readonly removed: readonly string[];
  /** The version's agent, well before the switch; null where no command starts it. */
  readonly started: AgentChange | null;
  /** The agent that ran before, ended after the switch; null where none did. */
  readonly stopped: AgentChange | null;
}

/** Puts a version's files into a folder of its own and switches `current` to it: an operation of the log. */
export function deploy(caller: Caller, options: DeployOptions): Promise<DeployedVersion> {
  return withWritingSession(caller, { purpose: "deploy", untracked: "no" }, async (session) => {
    const { history } = session;
    const root = deploymentRoot(await rootOf(session, options.to));
    const version = requireDeployable(findAsked(history, options.version));
    caller.progress(`Verifying ${version.tag}`);
    await validateVersion(provingOf(session), version);
    const previous = versionOfLink(await readCurrentLink(root.current));
    const ground = { root, version, previous };
    return options.dryRun ? foresee(session, ground) : carryOut(session, ground, options, { kind: "deploy", more: {} });
  });
}

/** What the operation is in the log. */
interface Occasion {
  readonly kind: "deploy" | "undo";
  /** What its entry says beside the deployment. */
  readonly more: Readonly<Record<string, unknown>>;
}

/**
 * Takes a deployment back, in a session that is open: what was deployed before is so again, its agent well before the switch.
 * E125 where another one was deployed since, or nothing was before it.
 */
export async function undoDeployment(
  session: WritingSession,
  { id, details }: Pick<LoggedEntry, "id" | "details">,
  options: Pick<DeployOptions, "trustCommands" | "dryRun">,
): Promise<DeployedVersion> {
  const { history } = session;
  const { root: folder, deployed, previous: before } = details;
  const root = deploymentRoot(String(folder));
  const previous = versionOfLink(await readCurrentLink(root.current));
  if (previous === null || previous !== deployed) {
    throw new KaiError("E125", `${String(deployed)} is not deployed at ${root.root} any more.`, {
      hint: "`git kai-version status` shows what is; `git kai-version deploy VERSION` switches to any.",
    });
  }
  if (typeof before !== "string") {
    throw new KaiError("E125", `Nothing was deployed at ${root.root} before ${previous}.`, {
      hint: "Stop the agent and remove the folder by hand where it is to go.",
    });
  }
  // Also one that was withdrawn since: so it was.
  const version = requireProvable(findAsked(history, before));
  session.caller.progress(`Verifying ${version.tag}`);
  await validateVersion(provingOf(session), version);
  const ground = { root, version, previous };
  if (options.dryRun) return foresee(session, ground);
  return carryOut(session, ground, { ...options, noCommands: false }, { kind: "undo", more: { undoes: id } });
}

interface Ground {
  readonly root: DeploymentRoot;
  readonly version: KnownVersion;
  readonly previous: string | null;
}

const NOTHING_DONE = { operation: null, removed: [], started: null, stopped: null };

const namesOf = ({ root, version, previous }: Ground) => ({
  version: version.number.text,
  tag: version.tag,
  path: folderOf(root, version),
  previous,
});

async function foresee(session: WritingSession, ground: Ground): Promise<DeployedVersion> {
  const removed = await prune(session, ground, true);
  const written = (await findStat(folderOf(ground.root, ground.version))) === undefined;
  return { ...namesOf(ground), ...NOTHING_DONE, written, incomplete: [], removed };
}

async function carryOut(
  session: WritingSession,
  ground: Ground,
  options: Pick<DeployOptions, "trustCommands" | "noCommands">,
  { kind, more }: Occasion,
): Promise<DeployedVersion> {
  const { root, version } = ground;
  const signer = await session.openSigner("operator");
  const { trustCommands, noCommands } = options;
  const commands = { ...ground, key: signer.fingerprint, trustCommands };
  const agents = noCommands ? undefined : await planBlueGreen(session, commands);
  const install = agents?.install ?? undefined;
  const planned = await switchDeployment(session, { root: root.root, version, event: kind, install });
  const { link, written, details } = planned;
  const incomplete = planned.deployment === null ? [] : incompleteIn(planned.deployment);
  const started = (await agents?.startNew()) ?? null;
  if (started?.ok === false) {
    const failure = commandFailed("lifecycle.start", version, started);
    await session.perform(await deploymentEntry(session, version, signer, failed(planned, failure)), signer);
    throw failure;
  }
  const done = { ...namesOf(ground), written, incomplete, started: started && changeOf(started) };
  let stopped: AgentChange | null = null;
  const stopOld = async () => {
    const outcome = (await agents?.stopOld()) ?? null;
    stopped = outcome && changeOf(outcome);
  };
  // A folder that was written anew is told in the log, which holds the digest of what was installed there.
  if (link === null && !written) {
    // What a deployment that was killed left running.
    await stopOld();
    return { ...NOTHING_DONE, ...done, stopped };
  }
  session.caller.progress(`Switching ${root.current}`);
  const verb = kind === "undo" ? "undo the deployment after" : "deploy";
  const entry = await deploymentEntry(session, version, signer, { kind, verb, details: { ...details, ...more } });
  const live: LiveChange = {
    before: agents?.before ?? null,
    after: agents?.after ?? null,
    stage: (staging) => stageLinks(staging, link === null ? [] : [link]),
    stop: async () => {},
    startAgain: async () => {},
    start: stopOld,
  };
  await session.perform({ ...entry, live }, signer).catch(async (cause: unknown) => {
    // With E114 it has happened.
    const happened = cause instanceof KaiError && cause.code === "E114";
    if (!happened && link !== null) await agents?.stopNew();
    throw cause;
  });
  return { ...done, operation: session.id, removed: await prune(session, ground, false), stopped };
}

function prune({ agent, history, id }: WritingSession, { root, version, previous }: Ground, dryRun: boolean) {
  return pruneDeployments(root, {
    keep: agent.config.deploy.keep,
    needed: [version.number.text, previous],
    deployedAt: (folder) => deployedAt(history, folder),
    staging: kaiFolderOf(agent.repository).staging,
    operation: id,
    dryRun,
  });
}

const failed = ({ details: { deployed, root } }: PlannedSwitch, failure: KaiError): DeploymentEntry => ({
  kind: "outcome",
  verb: "failed to deploy",
  details: { kind: "deploy", of: null, ok: false, version: deployed, root, error: failure.message },
});

const incompleteIn = ({ seal, submodules }: Deployment): string[] => [
  ...seal.record.lfs.map((pointer) => pointer.path),
  ...submodules.map(readablePath),
];

const changeOf = ({ ok, durationMs, error }: CommandOutcome): AgentChange => ({ ok, durationMs, error });

async function rootOf({ agent, caller }: WritingSession, to: string | undefined): Promise<string> {
  if (to !== undefined) return canonicalFolder(path.resolve(caller.cwd, to));
  const configured = await configuredRoot(agent.repository, agent.config);
  if (configured !== null) return configured;
  throw new KaiError("E122", "Nothing says where to deploy to.", {
    hint: "Name the folder with `--to DIR`, or set `deploy: {root: DIR}` in kai.yaml.",
  });
}

function requireProvable(version: KnownVersion): KnownVersion {
  if (version.type !== "foreign") return version;
  throw new KaiError("E101", `${version.tag} was made by another tool: nothing proves what it holds.`, {
    hint: "`git kai-version create` makes a version that can be proven.",
  });
}

function requireDeployable(version: KnownVersion): KnownVersion {
  requireProvable(version);
  if (version.withdrawn) {
    throw new KaiError("E101", `${version.tag} was withdrawn by a rollback.`, {
      hint: "`git kai-version log` shows when and by whom; a rollback to it, or `undo`, takes it back into use.",
    });
  }
  return version;
}

const deployedAt = (history: History, folder: string): Date | undefined => {
  const entry = history.findEntry(({ details }) => details["path"] === folder);
  return entry && new Date(entry.at);
};
