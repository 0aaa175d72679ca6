import { lstat, open, readdir } from "node:fs/promises";
import path from "node:path";
import { decodeTime } from "ulid";
import { KaiError } from "../error.js";
import { openRepository } from "../git/repository.js";
import { TO_READ } from "../system/with-file.js";
import type { Caller } from "../version/writing-session.js";
import { findExecutionLog } from "./execution-log.js";
import { findKeptLogs } from "./kept-logs.js";
import type { OutputStream } from "./sandbox/execution-output.js";
import { SnapshotStore } from "./snapshot-store.js";

/** One execution in a snapshot, and how much of its output is kept. */
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

/** What was executed in a snapshot, the oldest first; or that run, of which more is kept than its record has. E101, E122. */
export async function listLogs(caller: Caller, asked: string): Promise<LoggedExecution[]> {
  const { folder, running } = await findLogs(caller, asked);
  const names = await readdir(folder).catch(() => []);
  const ids = [...new Set(names.map((name) => name.replace(/\.(?:stdout|stderr|json)$/, "")))].sort();
  return Promise.all(
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
      };
    }),
  );
}

/** The whole output of one of them, stdout before stderr, as it comes. */
export async function* readLog(
  caller: Caller,
  asked: string,
  execution: string,
): AsyncGenerator<{ readonly stream: OutputStream; readonly chunk: Buffer }> {
  const { folder } = await findLogs(caller, asked);
  for (const stream of ["stdout", "stderr"] as const) {
    const file = path.join(folder, `${execution}.${stream}`);
    for await (const chunk of chunksOf(file)) yield { stream, chunk };
  }
}

const OF_RUNS =
  "Of a throw-away run that printed less than a megabyte its commit on refs/kai/runs has all: `git show COMMIT:stdout`.";

/** Where what was printed lies, and which executions are not over. */
async function findLogs(
  caller: Caller,
  asked: string,
): Promise<{ readonly folder: string; readonly running: ReadonlySet<string> }> {
  const repository = await openRepository(caller.cwd, caller.env);
  const store = new SnapshotStore(repository);
  try {
    const { record } = await store.find(asked);
    return { folder: store.logsOf(record.id), running: await store.executionsOf(record.id) };
  } catch (cause) {
    if (!(cause instanceof KaiError) || cause.code !== "E101") throw cause;
    const folders = findKeptLogs(repository, asked);
    const [folder, another] = folders;
    if (another !== undefined)
      throw new KaiError("E122", `${folders.length} runs begin or end with ${asked}.`, {
        hint: "Give more of the id.",
      });
    if (folder === undefined) throw new KaiError("E101", cause.message, { hint: `${cause.hint} ${OF_RUNS}` });
    return { folder, running: new Set() };
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
