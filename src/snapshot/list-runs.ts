import { KaiError } from "../error.js";
import { ObjectReader } from "../git/object-reader.js";
import { openRepository, type Repository } from "../git/repository.js";
import { treeOf } from "../git/tree-of.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { findTrustRoot } from "../trust/trust-root.js";
import { readTrustedLog } from "../trust/trusted-log.js";
import { readHistoryOf } from "../version/reading.js";
import type { Caller } from "../version/writing-session.js";
import { isWholeRun } from "./runs/is-whole-run.js";
import { type RecordedRun, type RunsGround, readRuns, readRunsOf } from "./runs/recorded-runs.js";
import type { RunRecord } from "./runs/run-record.js";
import { findTried } from "./snapshot-ground.js";
import { NO_LOG } from "./with-trust-ground.js";

const LISTED = [
  "id",
  "at",
  "version",
  "tag",
  "snapshot",
  "scenario",
  "command",
  "passed",
  "exitCode",
  "timedOut",
  "oomKilled",
  "durationMs",
  "actor",
] as const;

/** What is to be known of who made a run's record. */
interface Proof {
  /** The commit on refs/kai/runs that holds it. */
  readonly run: string;
  /** Why nobody has to believe it; null where a tester of the policy signed it. */
  readonly unproven: string | null;
}

export interface ListedRun extends Pick<RunRecord, (typeof LISTED)[number]>, Proof {}

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
  return withRuns(repository, async (ground) => {
    const listed: ListedRun[] = [];
    if (limit === 0) return listed;
    for await (const run of tree === undefined ? readRuns(ground) : readRunsOf(ground, tree)) {
      const { record } = run;
      if (!isWholeRun(record) || (failed && record.passed)) continue;
      if (scenario !== undefined && record.scenario?.name !== scenario) continue;
      const told = Object.fromEntries(LISTED.map((key) => [key, record[key]])) as Pick<
        ListedRun,
        (typeof LISTED)[number]
      >;
      listed.push({ ...told, ...(await proofOf(run)) });
      if (listed.length >= limit) break;
    }
    return listed;
  });
}

/** The run whose id begins or ends so; undefined for none. E122 for several. */
export const findRun = (repository: Repository, asked: string): Promise<ShownRun | undefined> =>
  withRuns(repository, async (ground) => {
    const wanted = asked.toUpperCase();
    const found: RecordedRun[] = [];
    // An id is of these characters alone: all else would be found in other places of a record.
    if (!/^[0-9A-Z]+$/.test(wanted)) return undefined;
    for await (const run of readRuns(ground, wanted)) {
      const { id } = run.record;
      if (isWholeRun(run.record) && (id.startsWith(wanted) || id.endsWith(wanted))) found.push(run);
    }
    const [run, another] = found;
    if (another !== undefined) throw severalRuns(found.length, asked);
    // Last: whoever wrote the record may have given it such keys, too.
    return run && { ...run.record, ...(await proofOf(run)), status: "ended" };
  });

export const severalRuns = (count: number, asked: string): KaiError =>
  new KaiError("E122", `${count} runs begin or end with ${asked}.`, { hint: "Give more of the id." });

/** For E101 of an id that may be a run's as well as a snapshot's. */
export const noRunEither = (noSnapshot: KaiError): KaiError =>
  new KaiError("E101", noSnapshot.message, {
    hint: `${noSnapshot.hint} \`git kai-version snapshot runs\` shows what was run.`,
  });

const proofOf = async (run: RecordedRun): Promise<Proof> => ({ run: run.id, unproven: await run.whyUnproven() });

async function treeAsked(repository: Repository, asked: string, caller: Caller): Promise<string> {
  const { history } = await readHistoryOf(repository, caller.onConfigGone);
  return treeOf(repository, (await findTried(repository, history, asked)).commit);
}

async function withRuns<T>(repository: Repository, work: (ground: RunsGround) => Promise<T>): Promise<T> {
  const reader = new ObjectReader(repository);
  try {
    return await work({ repository, reader, log: await logOf(repository, reader) });
  } finally {
    reader.close();
  }
}

/** What is there is shown also where nobody can be trusted: then it says so. */
async function logOf(repository: Repository, reader: ObjectReader): Promise<RunsGround["log"]> {
  try {
    const root = await findTrustRoot(kaiFolderOf(repository).trust);
    return root === undefined ? NO_LOG : await readTrustedLog(repository, reader, root);
  } catch (cause) {
    if (cause instanceof KaiError && cause.code === "E121") return cause.message;
    throw cause;
  }
}
