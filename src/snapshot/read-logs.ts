import { lstat, open, readdir } from "node:fs/promises";
import path from "node:path";
import { decodeTime } from "ulid";
import { KaiError } from "../error.js";
import { ObjectReader } from "../git/object-reader.js";
import { openRepository, type Repository } from "../git/repository.js";
import { TO_READ } from "../system/with-file.js";
import type { Caller } from "../version/writing-session.js";
import { findExecutionLog } from "./execution-log.js";
import { findKeptLogs } from "./kept-logs.js";
import { findRun, noRunEither, type ShownRun, severalRuns } from "./list-runs.js";
import type { OutputStream } from "./sandbox/execution-output.js";
import { SnapshotStore } from "./snapshot-store.js";

/** One execution in a sandbox, and how much of its output is kept. */
export interface LoggedExecution {
  readonly id: string;
  /** ISO 8601 in UTC. */
  readonly at: string;
  /** Interrupted: whoever had it run ended, or was killed, before it had ended. */
  readonly state: "running" | "ended" | "interrupted";
  /** Null where that is not known. */
  readonly command: readonly string[] | null;
  /** Null of one that has not ended by itself. */
  readonly exitCode: number | null;
  /** Bytes. */
  readonly stdout: number;
  readonly stderr: number;
}

/** What is kept of what one or several executions printed. */
export interface ExecutionLogs {
  /** The oldest first. */
  readonly executions: readonly LoggedExecution[];
  /** Bytes of the newest's output that are nowhere any more. */
  readonly lost: number;
  /** Why nobody has to believe that this was printed; null of what this machine logged itself, and of what a tester of the policy signed. */
  readonly unproven: string | null;
  /** The whole output of one of them, stdout before stderr, as it comes. */
  read(execution: string): AsyncGenerator<{ readonly stream: OutputStream; readonly chunk: Buffer }>;
}

const STREAMS = ["stdout", "stderr"] as const;

/** What was executed in a snapshot; else that run, of which more may be kept than its record has. E101, E122. */
export async function openLogs(caller: Caller, asked: string): Promise<ExecutionLogs> {
  const repository = await openRepository(caller.cwd, caller.env);
  const store = new SnapshotStore(repository);
  try {
    const { record } = await store.find(asked);
    return await logsIn(store.logsOf(record.id), store.executionsOf(record.id));
  } catch (cause) {
    if (!(cause instanceof KaiError) || cause.code !== "E101") throw cause;
    return logsOf(repository, store, asked, { noSnapshot: cause, onUnread: caller.onLeft });
  }
}

/** Of a run, as much as there is: its record has the least. */
async function logsOf(
  repository: Repository,
  store: SnapshotStore,
  asked: string,
  { noSnapshot, onUnread }: { readonly noSnapshot: KaiError; readonly onUnread: Caller["onLeft"] },
): Promise<ExecutionLogs> {
  const folders = findKeptLogs(repository, asked);
  // Of a whole id no record need be there, or be read.
  const whole = folders.find((each) => path.basename(each) === asked.toUpperCase());
  if (whole !== undefined) return logsIn(whole, new Set());
  const run = await findRun(repository, asked, onUnread);
  const ids = new Set(folders.map((each) => path.basename(each)));
  if (run !== undefined) ids.add(run.id);
  if (ids.size > 1) throw severalRuns(ids.size, asked);
  const [folder] = folders;
  if (folder !== undefined) return logsIn(folder, new Set());
  if (run === undefined) throw noRunEither(noSnapshot);
  return (await logsInside(store, run)) ?? logsInRecord(repository, run);
}

async function logsIn(folder: string, running: ReadonlySet<string>): Promise<ExecutionLogs> {
  const names = await readdir(folder).catch(() => []);
  const ids = [...new Set(names.map((name) => name.replace(/\.(?:stdout|stderr|json)$/, "")))].sort();
  const executions = await Promise.all(
    ids.map(async (id) => {
      const log = findExecutionLog(folder, id);
      const exitCode = log?.exitCode ?? null;
      const bytes = async (stream: OutputStream) =>
        (await lstat(path.join(folder, `${id}.${stream}`)).catch(() => undefined))?.size ?? 0;
      return {
        id,
        at: log?.at ?? new Date(decodeTime(id)).toISOString(),
        state: exitCode !== null ? "ended" : running.has(id) ? "running" : "interrupted",
        command: log?.command ?? null,
        exitCode,
        stdout: await bytes("stdout"),
        stderr: await bytes("stderr"),
      } as const;
    }),
  );
  return {
    executions,
    lost: 0,
    unproven: null,
    async *read(execution) {
      for (const stream of STREAMS) {
        for await (const chunk of chunksOf(path.join(folder, `${execution}.${stream}`))) yield { stream, chunk };
      }
    },
  };
}

/** What the snapshot that it ran in keeps, which has more than the record, as long as that is there. */
async function logsInside(store: SnapshotStore, { id, snapshot }: ShownRun): Promise<ExecutionLogs | undefined> {
  if (snapshot === null || !store.has(snapshot)) return undefined;
  const logs = await logsIn(store.logsOf(snapshot), new Set());
  const executions = logs.executions.filter((each) => each.id === id);
  return executions.length === 0 ? undefined : { ...logs, executions };
}

/** More than a record keeps of a stream; who made a larger one up is not to fill the memory. */
const LARGEST_KEPT = 4 * 1024 * 1024;

/** E116 where the record's commit has no output at all, as one that was made up may. */
async function logsInRecord(repository: Repository, run: ShownRun): Promise<ExecutionLogs> {
  const { id, at, command, exitCode, outputDropped, unproven } = run;
  const reader = new ObjectReader(repository);
  try {
    const read = async (stream: OutputStream) => {
      const found = await reader.find(`${run.run}:${stream}`, LARGEST_KEPT);
      if (found?.type === "blob") return found;
      throw new KaiError("E116", `What the run ${id} printed is not in its record.`, {
        hint: `\`git kai-version snapshot show ${id}\` has how it ended.`,
      });
    };
    const [stdout, stderr] = await Promise.all([read("stdout"), read("stderr")]);
    const kept = { stdout: stdout.content, stderr: stderr.content };
    return {
      executions: [{ id, at, state: "ended", command, exitCode, stdout: stdout.size, stderr: stderr.size }],
      lost: outputDropped + stdout.size + stderr.size - kept.stdout.length - kept.stderr.length,
      unproven,
      async *read() {
        for (const stream of STREAMS) if (kept[stream].length > 0) yield { stream, chunk: kept[stream] };
      },
    };
  } finally {
    reader.close();
  }
}

/** Nothing of what is no file: it may have come with an unpacked archive, and a link is not followed, a FIFO not waited for. */
async function* chunksOf(file: string): AsyncGenerator<Buffer> {
  const handle = await open(file, TO_READ).catch(() => undefined);
  try {
    if (!(await handle?.stat())?.isFile()) return;
    yield* handle?.createReadStream({ autoClose: false }) ?? [];
  } finally {
    await handle?.close();
  }
}
