import { KaiError } from "../error.js";
import { ObjectReader } from "../git/object-reader.js";
import { openRepository, type Repository } from "../git/repository.js";
import { LOG_REF, NOTES_REF } from "../operation/entry.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { createKeyRing, type KeyRing } from "../trust/key-ring.js";
import { kaiHome, readKnownKeys } from "../trust/key-store.js";
import { findTrustRoot, type TrustRoot, writeTrustRoot } from "../trust/trust-root.js";
import { findRootOf, readTrustedLog, ringDigest, type TrustedLog } from "../trust/trusted-log.js";
import { openVerificationCache } from "../trust/verification-cache.js";
import type { OnConfigGone } from "./agent-repository.js";
import { checkDeeply } from "./check-deeply.js";
import { compositionJudge } from "./composed-version.js";
import { findAsked } from "./find-asked.js";
import { versionInForce } from "./history.js";
import { type JudgedVersion, type Judging, judgeCurrent, judgeVersion, type Problem } from "./judge-version.js";
import { listNotes, readNotes } from "./read-notes.js";
import { type AgentHistory, readHistoryOf } from "./reading.js";

export interface VerifyRequest {
  /** Versions as the user named them; empty for the one in force. */
  readonly versions: readonly string[];
  readonly all: boolean;
  /** Also compute every version's hash and its capture's digest again, from the objects alone, and believe nothing found before. */
  readonly deep: boolean;
}

export interface Verification {
  readonly ok: boolean;
  readonly total: number;
  readonly failed: number;
  /** Versions of other tools that nothing proves or disproves; one that was named counts as failed instead. */
  readonly unproven: number;
  readonly log: {
    readonly ok: boolean;
    readonly root: string | null;
    readonly origin: string | null;
    readonly problems: readonly Problem[];
  };
  readonly versions: readonly VerifiedVersion[];
}

export interface VerifiedVersion extends JudgedVersion {
  /** Counted as unproven and not as failed: of another tool, and neither proven nor disproven. */
  readonly unproven: boolean;
}

export interface VerifyCaller {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => Date;
  readonly progress: (message: string) => void;
  readonly onConfigGone?: OnConfigGone | undefined;
}

/** Verifies versions by their raw bytes: signature, name, record, log, and with `deep` content. Outcomes are values. */
export async function verifyVersions(caller: VerifyCaller, request: VerifyRequest): Promise<Verification> {
  const repository = await openRepository(caller.cwd, caller.env);
  const reader = new ObjectReader(repository, { skipDamaged: true });
  try {
    const [known, log, userKeys, noted] = await Promise.all([
      readHistoryOf(repository, caller.onConfigGone, { anew: true }),
      judgeLog(repository, reader, request.deep),
      readKnownKeys(kaiHome(caller.env)),
      listNotes(repository, NOTES_REF),
    ]);
    const chosen = chooseVersions(known, log, request);
    caller.progress(`Verifying ${chosen.length} ${chosen.length === 1 ? "version" : "versions"}`);
    const judging = judgingFor(known, reader, log.trusted, userKeys, caller.now(), request.deep);
    let versions: JudgedVersion[] = [];
    for (let start = 0; start < chosen.length; start += SLICE) {
      const slice = chosen.slice(start, start + SLICE);
      const notes = await readNotes(reader, noted, new Set(slice.map((version) => version.commit)));
      versions.push(...(await Promise.all(slice.map((version) => judgeVersion(version, { ...judging, notes })))));
    }
    if (request.all) versions = [...versions, ...missingVersions(known)];
    if (request.deep) versions = await checkDeeply(repository, reader, chosen, versions, caller.progress);
    await judging.cache.flush().catch(() => {});
    const problems = [...log.problems, ...(log.trusted ? judgeCurrent(known.history, await currentTag(reader)) : [])];
    return summed(versions, { ...log, problems }, request);
  } finally {
    reader.close();
  }
}

function chooseVersions({ history }: AgentHistory, log: JudgedLog, request: VerifyRequest) {
  if (request.all) return history.versions;
  if (request.versions.length > 0) return request.versions.map((asked) => findAsked(history, asked));
  const inForce = versionInForce(history);
  if (inForce) return [inForce];
  // A log that is no log says of nothing that it is in force, and that is what is wrong.
  if (log.trusted === undefined && !log.problems.includes(NO_LOG)) return [];
  throw new KaiError("E105", "No version is in force that could be verified.", {
    hint: "Name versions, or give --all.",
  });
}

interface JudgedLog {
  readonly trusted: TrustedLog | undefined;
  readonly root: TrustRoot | undefined;
  readonly problems: readonly Problem[];
}

/** So many versions are judged at once: enough for the threads, and memory does not grow with their number. */
const SLICE = 200;

/** Verifies the log: what this clone has not seen of it before, or with `deep` everything from its first entry on. */
async function judgeLog(repository: Repository, reader: ObjectReader, deep: boolean): Promise<JudgedLog> {
  const folder = kaiFolderOf(repository);
  let root: TrustRoot | undefined;
  try {
    const pinned = await findTrustRoot(folder.trust);
    if ((await reader.find(LOG_REF)) === undefined)
      return { trusted: undefined, root: pinned, problems: [pinned ? LOG_GONE : NO_LOG] };
    root = pinned ?? (await findRootOf(repository, reader, LOG_REF));
    const trusted = await readTrustedLog(repository, reader, root, deep ? { from: root.root } : {});
    if (pinned) await rememberSeen(folder.trust, pinned, trusted.head);
    return { trusted, root, problems: pinned ? [] : [NOT_PINNED] };
  } catch (cause) {
    if (!(cause instanceof KaiError)) throw cause;
    return { trusted: undefined, root, problems: [{ code: cause.code, message: cause.message }] };
  }
}

/** What was verified once may not be taken away again; a folder that cannot be written only forgets it. */
async function rememberSeen(file: string, pinned: TrustRoot, head: string): Promise<void> {
  if (head !== pinned.seen) await writeTrustRoot(file, { ...pinned, seen: head }).catch(() => {});
}

const NO_LOG: Problem = {
  code: "record-not-fetched",
  message: "This clone lacks the log; `git kai-version init` fetches and adopts it.",
};

const LOG_GONE: Problem = {
  code: "log-gone",
  message: "The log that this clone has seen is gone; fetch it from a complete clone.",
};

const NOT_PINNED: Problem = {
  code: "root-not-pinned",
  message: "Nobody has confirmed where this log comes from; `git kai-version init` pins it.",
};

function judgingFor(
  known: AgentHistory,
  reader: ObjectReader,
  log: TrustedLog | undefined,
  userKeys: Parameters<typeof createKeyRing>[0],
  now: Date,
  deep: boolean,
): Omit<Judging, "notes"> {
  const logKeys = log ? [...log.files].filter(([name]) => name.startsWith("keys/")) : [];
  const everyKey: KeyRing = createKeyRing([...logKeys.map(([name, bytes]) => ({ name, bytes })), ...userKeys]);
  const ring = log ? ringDigest(log.policy, everyKey) : everyKey.digest;
  const cache = openVerificationCache(kaiFolderOf(known.agent.repository).cache, ring);
  return {
    log,
    hasLog: known.hasLog,
    keys: log?.keys ?? everyKey,
    everyKey,
    now,
    madeBy: known.outline.tagObjects(),
    cache: deep ? { ...cache, get: () => undefined } : cache,
    whyNotComposed:
      log &&
      compositionJudge({
        repository: known.agent.repository,
        reader,
        log,
        history: known.history,
        ...(deep && { digests: NO_DIGESTS }),
      }),
  };
}

/** What believes nothing that was found before. */
const NO_DIGESTS = { get: () => undefined, add: async () => {} };

/** Versions that the log made and whose tags are gone. */
function missingVersions({ history, outline }: AgentHistory): JudgedVersion[] {
  const here = new Set(history.versions.map((version) => `refs/tags/${version.tag}`));
  const missing: JudgedVersion[] = [];
  for (const [tag, version] of outline.made) {
    if (here.has(`refs/tags/${tag}`)) continue;
    missing.push({
      version,
      tag,
      ok: false,
      foreign: false,
      signature: { outcome: "unsigned", key: null, signer: null, reason: null },
      problems: [
        {
          code: "tag-missing",
          message: `The log says that ${tag} was made, and its tag is gone; \`git kai-version recover\` makes it again.`,
        },
      ],
    });
  }
  return missing;
}

const currentTag = async (reader: ObjectReader): Promise<string | undefined> =>
  (await reader.find("refs/tags/current"))?.id;

function summed(versions: readonly JudgedVersion[], log: JudgedLog, request: VerifyRequest): Verification {
  const isUnproven = (version: JudgedVersion) =>
    request.versions.length === 0 && version.foreign && !version.ok && version.problems.length === 0;
  const judged = versions.map((version): VerifiedVersion => ({ ...version, unproven: isUnproven(version) }));
  const failing = judged.filter(({ ok, unproven }) => !ok && !unproven);
  return {
    ok: failing.length === 0 && log.problems.every((problem) => problem === NOT_PINNED),
    total: versions.length,
    failed: failing.length,
    unproven: judged.filter(({ unproven }) => unproven).length,
    log: {
      ok: log.trusted !== undefined && log.problems.every((problem) => problem === NOT_PINNED),
      root: log.root?.digest ?? null,
      origin: log.root?.origin ?? null,
      problems: log.problems,
    },
    versions: judged,
  };
}
