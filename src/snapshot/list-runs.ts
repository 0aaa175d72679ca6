import { KaiError } from "../error.js";
import { ObjectReader } from "../git/object-reader.js";
import { openRepository, type Repository } from "../git/repository.js";
import { treeOf } from "../git/tree-of.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { findTrustRoot } from "../trust/trust-root.js";
import { readTrustedLog } from "../trust/trusted-log.js";
import { readHistoryOf } from "../version/reading.js";
import type { Caller } from "../version/writing-session.js";
import { type RecordedRun, type RunsGround, readRuns, readRunsOf } from "./runs/recorded-runs.js";
import type { RunRecord } from "./runs/run-record.js";
import { findTried } from "./snapshot-ground.js";
import { NO_LOG } from "./with-trust-ground.js";

/** What is to be known of who made a run's record. */
interface Proof {
  /** The commit on refs/kai/runs that holds it. */
  readonly run: string;
  /** Why nobody has to believe it; null where a tester of the policy signed it. */
  readonly unproven: string | null;
}

type Told =
  | ("id" | "at" | "version" | "tag" | "pristine" | "snapshot" | "scenario" | "command")
  | ("passed" | "exitCode" | "timedOut" | "oomKilled" | "durationMs" | "actor");

export interface ListedRun extends Pick<RunRecord, Told>, Proof {}

/** A run, whole. */
export interface ShownRun extends RunRecord, Proof {
  readonly status: "ended";
}

export interface RunsRequest {
  /** Only those over the files of this version or commit, whichever they were run as. */
  readonly version?: string | undefined;
  readonly scenario?: string | undefined;
  readonly failed?: boolean | undefined;
  readonly limit?: number | undefined;
}

/** What was run in sandboxes of this clone, the newest first. E101 and E107 for what is neither a version nor a commit. */
export async function listRuns(caller: Caller, request: RunsRequest): Promise<ListedRun[]> {
  const { version, scenario, failed = false, limit = Number.POSITIVE_INFINITY } = request;
  const repository = await openRepository(caller.cwd, caller.env);
  const tree = version === undefined ? undefined : await treeAsked(repository, version, caller);
  const listed: ListedRun[] = [];
  if (limit === 0) return listed;
  const ground = await groundOf(repository, caller.onLeft);
  for await (const run of tree === undefined ? readRuns(ground) : readRunsOf(ground, tree)) {
    const { record } = run;
    if (failed && record.passed) continue;
    if (scenario !== undefined && record.scenario?.name !== scenario) continue;
    listed.push({ ...toldOf(record), ...(await proofOf(run)) });
    if (listed.length >= limit) break;
  }
  return listed;
}

/** The run whose id begins or ends so; undefined for none. E122 for several. Of a whole id that somebody else took, too, the one that is proven. */
export async function findRun(
  repository: Repository,
  asked: string,
  onUnread: Caller["onLeft"],
): Promise<ShownRun | undefined> {
  const wanted = asked.toUpperCase();
  // An id is of these characters alone: all else would be found in other places of a record.
  if (!/^[0-9A-Z]+$/.test(wanted)) return undefined;
  let newest: ShownRun | undefined;
  let count = 0;
  for await (const run of readRuns(await groundOf(repository, onUnread), wanted)) {
    const { record } = run;
    if (!record.id.startsWith(wanted) && !record.id.endsWith(wanted)) continue;
    count++;
    // None but the first is kept: there may be thousands, of megabytes each.
    if (newest !== undefined && record.id !== wanted) continue;
    const shown: ShownRun = { status: "ended", ...record, ...(await proofOf(run)) };
    if (record.id === wanted && shown.unproven === null) return shown;
    newest ??= shown;
  }
  if (count > 1 && newest?.id !== wanted) throw severalRuns(count, asked);
  return newest;
}

const toldOf = (run: RunRecord): Pick<RunRecord, Told> => {
  const { id, at, version, tag, pristine, snapshot, scenario, command } = run;
  const { passed, exitCode, timedOut, oomKilled, durationMs, actor } = run;
  return {
    id,
    at,
    version,
    tag,
    pristine,
    snapshot,
    scenario,
    command,
    passed,
    exitCode,
    timedOut,
    oomKilled,
    durationMs,
    actor,
  };
};

export const severalRuns = (count: number, asked: string): KaiError =>
  new KaiError("E122", `${count} runs begin or end with ${asked}.`, { hint: "Give more of the id." });

/** For E101 of an id that may be a run's as well as a snapshot's. */
export const noRunEither = (noSnapshot: KaiError): KaiError =>
  new KaiError("E101", noSnapshot.message.replace(/^There is no snapshot /, "There is neither a snapshot nor a run "), {
    hint: `${noSnapshot.hint} \`git kai-version snapshot runs\` shows what was run.`,
  });

const proofOf = async (run: RecordedRun): Promise<Proof> => ({ run: run.id, unproven: await run.whyUnproven() });

async function treeAsked(repository: Repository, asked: string, caller: Caller): Promise<string> {
  const { history } = await readHistoryOf(repository, caller.onConfigGone);
  return treeOf(repository, (await findTried(repository, history, asked)).commit);
}

async function groundOf(repository: Repository, onUnread: Caller["onLeft"]): Promise<RunsGround> {
  const reader = new ObjectReader(repository);
  try {
    return { repository, log: await logOf(repository, reader), onUnread };
  } finally {
    reader.close();
  }
}

/** Of a log, or of what pins it: objects that are missing, no permission, and what nobody can trust. */
const UNREADABLE: ReadonlySet<string> = new Set(["E116", "E118", "E121"]);

/** What is there is shown also where nobody can be trusted: then it says so. */
async function logOf(repository: Repository, reader: ObjectReader): Promise<RunsGround["log"]> {
  try {
    const root = await findTrustRoot(kaiFolderOf(repository).trust);
    return root === undefined ? NO_LOG : await readTrustedLog(repository, reader, root);
  } catch (cause) {
    if (cause instanceof KaiError && UNREADABLE.has(cause.code)) return cause.message;
    // Of another user's repository that is read.
    const { code, path } = cause as NodeJS.ErrnoException;
    if (code === "EACCES") return `${path} is not to be read`;
    throw cause;
  }
}
