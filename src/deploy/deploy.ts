import path from "node:path";
import { KaiError } from "../error.js";
import { readNote } from "../git/notes.js";
import { stageLinks } from "../operation/apply-links.js";
import { NOTES_REF } from "../operation/entry.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import type { Operation } from "../operation/operation.js";
import type { CommandOutcome } from "../system/agent-process.js";
import { findStat, readablePath } from "../system/path-bytes.js";
import type { Signer } from "../trust/signer.js";
import { findAsked } from "../version/find-asked.js";
import type { History, KnownVersion } from "../version/history.js";
import { validateVersion } from "../version/validate-version.js";
import { type Caller, type WritingSession, withWritingSession } from "../version/writing-session.js";
import { commandFailed, planBlueGreen } from "./blue-green.js";
import type { Deployment } from "./deployment.js";
import { deploymentRoot, versionOfLink } from "./deployment-layout.js";
import { canonicalFolder, configuredRoot } from "./deployment-place.js";
import { folderOf } from "./ensure-deployment.js";
import { pruneDeployments } from "./prune-deployments.js";
import { type PlannedSwitch, readCurrentLink, switchDeployment } from "./switch-deployment.js";

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
    const { repository, config } = session.agent;
    const root = await rootOf(session, options.to);
    const version = requireDeployable(findAsked(session.history, options.version));
    caller.progress(`Verifying ${version.tag}`);
    await validateVersion(repository, session.log, session.history, version);
    const place = deploymentRoot(root);
    const folder = folderOf(place, version);
    const previous = versionOfLink(await readCurrentLink(place.current));
    const told = { version: version.number.text, tag: version.tag, path: folder, previous };
    const nothing = { operation: null, removed: [], started: null, stopped: null };
    const pruning = {
      keep: config.deploy.keep,
      needed: [version.number.text, previous],
      deployedAt: (of: string) => deployedAt(session.history, of),
      staging: kaiFolderOf(repository).staging,
      operation: session.id,
    };
    if (options.dryRun) {
      const removed = await pruneDeployments(place, { ...pruning, dryRun: true });
      return { ...told, ...nothing, written: (await findStat(folder)) === undefined, incomplete: [], removed };
    }
    const signer = await session.openSigner("operator");
    const { trustCommands } = options;
    const agents = options.noCommands
      ? undefined
      : await planBlueGreen(session, { root: place, version, previous, key: signer.fingerprint, trustCommands });
    const install = agents?.install ?? undefined;
    const planned = await switchDeployment(session, { root, version, event: "deploy", install });
    const { link, written } = planned;
    const incomplete = planned.deployment === null ? [] : incompleteIn(planned.deployment);
    const started = (await agents?.startNew()) ?? null;
    if (started?.ok === false) {
      const failure = commandFailed("lifecycle.start", version, started);
      await session.perform(await entryOf(session, version, signer, failed(planned, failure)), signer);
      throw failure;
    }
    const change = started && changeOf(started);
    let stopped: AgentChange | null = null;
    const stopOld = async () => {
      const outcome = (await agents?.stopOld()) ?? null;
      stopped = outcome && changeOf(outcome);
    };
    // A folder that was written anew is told in the log, which holds the digest of what was installed there.
    if (link === null && !written) {
      // What a deployment that was killed left running.
      await stopOld();
      return { ...told, ...nothing, written, incomplete, started: change, stopped };
    }
    caller.progress(`Switching ${place.current}`);
    const operation: Operation = {
      ...(await entryOf(session, version, signer, { kind: "deploy", verb: "deploy", details: planned.details })),
      live: {
        before: agents?.before ?? null,
        after: agents?.after ?? null,
        stage: (staging) => stageLinks(staging, link === null ? [] : [link]),
        stop: async () => {},
        startAgain: async () => {},
        start: stopOld,
      },
    };
    await session.perform(operation, signer).catch(async (cause: unknown) => {
      // With E114 it has happened.
      if (!(cause instanceof KaiError && cause.code === "E114")) await agents?.stopNew();
      throw cause;
    });
    const removed = await pruneDeployments(place, { ...pruning, dryRun: false });
    return { ...told, operation: session.id, written, incomplete, removed, started: change, stopped };
  });
}

const incompleteIn = ({ seal, submodules }: Deployment): string[] => [
  ...seal.record.lfs.map((pointer) => pointer.path),
  ...submodules.map(readablePath),
];

const changeOf = ({ ok, durationMs, error }: CommandOutcome): AgentChange => ({ ok, durationMs, error });

interface Told {
  readonly kind: "deploy" | "outcome";
  /** The subject, before the version's tag. */
  readonly verb: string;
  readonly details: Readonly<Record<string, unknown>>;
}

const failed = ({ details: { deployed, root } }: PlannedSwitch, failure: KaiError): Told => ({
  kind: "outcome",
  verb: "failed to deploy",
  details: { kind: "deploy", of: null, ok: false, version: deployed, root, error: failure.message },
});

/** An entry of the log about a version, which moves no ref. */
async function entryOf(
  { id, at, log, history, reader }: WritingSession,
  version: KnownVersion,
  signer: Signer,
  { kind, verb, details }: Told,
): Promise<Operation> {
  const subject = `${verb} ${version.tag}`;
  const noted = {
    at: at.toISOString(),
    by: { email: signer.email, key: signer.fingerprint, name: signer.name },
    format: "kai-entry/1",
    kind,
    operation: id,
    restored: [],
    subject,
    withdrawn: [],
  };
  return {
    id,
    repo: log.entry.repo,
    kind,
    subject,
    at,
    log: { head: log.head, seq: log.entry.seq, at: log.at },
    current: { before: history.current, after: history.current },
    details,
    objects: [],
    changes: [],
    held: [],
    files: log.files,
    note: {
      commit: version.commit,
      lines: [JSON.stringify(noted)],
      on: await readNote(reader, NOTES_REF, version.commit),
    },
  };
}

async function rootOf({ agent, caller }: WritingSession, to: string | undefined): Promise<string> {
  if (to !== undefined) return canonicalFolder(path.resolve(caller.cwd, to));
  const configured = await configuredRoot(agent.repository, agent.config);
  if (configured !== null) return configured;
  throw new KaiError("E122", "Nothing says where to deploy to.", {
    hint: "Name the folder with `--to DIR`, or set `deploy: {root: DIR}` in kai.yaml.",
  });
}

function requireDeployable(version: KnownVersion): KnownVersion {
  if (version.type === "foreign") {
    throw new KaiError("E101", `${version.tag} was made by another tool: nothing proves what it holds.`, {
      hint: "`git kai-version create` makes a version that can be proven.",
    });
  }
  if (version.withdrawn) {
    throw new KaiError("E101", `${version.tag} was withdrawn by a rollback.`, {
      hint: "`git kai-version log` shows when and by whom; a rollback to it, or `undo`, takes it back into use.",
    });
  }
  return version;
}

const deployedAt = (history: History, folder: string): Date | undefined => {
  const entry = history.log.find(({ details }) => details["path"] === folder);
  return entry && new Date(entry.at);
};
