import path from "node:path";
import { KaiError } from "../error.js";
import { readNote } from "../git/notes.js";
import { stageLinks } from "../operation/apply-links.js";
import { NOTES_REF } from "../operation/entry.js";
import { findStat } from "../system/path-bytes.js";
import type { Signer } from "../trust/signer.js";
import { findAsked } from "../version/find-asked.js";
import type { History, KnownVersion } from "../version/history.js";
import { validateVersion } from "../version/validate-version.js";
import { type Caller, type WritingSession, withWritingSession } from "../version/writing-session.js";
import { deploymentRoot, versionOfLink } from "./deployment-layout.js";
import { canonicalFolder, configuredRoot } from "./deployment-place.js";
import { folderOf } from "./ensure-deployment.js";
import { pruneDeployments } from "./prune-deployments.js";
import { readCurrentLink, switchDeployment } from "./switch-deployment.js";

export interface DeployOptions {
  /** A number, a tag, or `current`. */
  readonly version: string;
  /** Relative to the caller's folder; default: `deploy.root`. */
  readonly to: string | undefined;
  readonly dryRun: boolean;
}

export interface DeployedVersion {
  readonly version: string;
  readonly tag: string;
  /** The version's folder. */
  readonly path: string;
  /** What `current` led to before; null for nothing. */
  readonly previous: string | null;
  /** Null in a dry run, and where `current` led there already. */
  readonly operation: string | null;
  /** Whether the folder was, or has to be, written. */
  readonly written: boolean;
  /** Versions whose folders were removed, or would be. */
  readonly removed: readonly string[];
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
    const pruning = {
      keep: config.deploy.keep,
      needed: [version.number.text, previous],
      deployedAt: (of: string) => deployedAt(session.history, of),
    };
    if (options.dryRun) {
      const removed = await pruneDeployments(place, { ...pruning, dryRun: true });
      return { ...told, operation: null, written: (await findStat(folder)) === undefined, removed };
    }
    const signer = await session.openSigner("operator");
    const planned = await switchDeployment(session, { root, version, event: "deploy" });
    const { link, written } = planned;
    if (link === null) return { ...told, operation: null, written, removed: [] };
    caller.progress(`Switching ${place.current}`);
    await session.perform(
      {
        id: session.id,
        repo: session.log.entry.repo,
        kind: "deploy",
        subject: `deploy ${version.tag}`,
        at: session.at,
        log: { head: session.log.head, seq: session.log.entry.seq, at: session.log.at },
        current: { before: session.history.current, after: session.history.current },
        details: planned.details,
        objects: [],
        changes: [],
        held: [],
        files: session.log.files,
        note: {
          commit: version.commit,
          lines: [noteLine(session, version, signer)],
          on: await readNote(session.reader, NOTES_REF, version.commit),
        },
        live: {
          before: null,
          after: null,
          stage: (staging) => stageLinks(staging, [link]),
          stop: async () => {},
          startAgain: async () => {},
          start: async () => {},
        },
      },
      signer,
    );
    return {
      ...told,
      operation: session.id,
      written,
      removed: await pruneDeployments(place, { ...pruning, dryRun: false }),
    };
  });
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

/** What the note of the version says: a copy of the entry in short. */
const noteLine = (session: WritingSession, version: KnownVersion, signer: Signer): string =>
  JSON.stringify({
    at: session.at.toISOString(),
    by: { email: signer.email, key: signer.fingerprint, name: signer.name },
    format: "kai-entry/1",
    kind: "deploy",
    operation: session.id,
    restored: [],
    subject: `deploy ${version.tag}`,
    withdrawn: [],
  });
