import { KaiError } from "../error.js";
import { PLAIN_LOG } from "../git/plain-log.js";
import { hexLength, type Repository } from "../git/repository.js";
import { gitFailure, tryGit } from "../git/run-git.js";
import { runGitSync } from "../git/run-git-sync.js";
import { LOG_REF, type LoggedEntry } from "../operation/entry.js";
import { logEntries } from "../operation/log.js";
import { readRef } from "../operation/read-ref.js";
import type { KeptLog } from "./kept-log.js";
import { type LogOutline, LogOutliner, outlineParts } from "./log-outline.js";
import type { LogPart } from "./log-part.js";
import { LogText } from "./log-text.js";

export interface ReadLog {
  readonly outline: LogOutline;
  /** Newest first, each parsed when it is asked for. */
  readonly entries: () => Iterable<LoggedEntry>;
}

/**
 * The log's outline, made while git prints it; undefined where there is no log. What is `kept` is not read again, and what is
 * new is kept. E121 where the log is there and git cannot read all that it is asked for.
 */
export async function readLogOutline(repository: Repository, kept: KeptLog | undefined): Promise<ReadLog | undefined> {
  const parts = (kept && (await readBehind(repository, kept))) ?? (await readWhole(repository, kept));
  return parts && readLogOf(repository, parts, kept);
}

/** The log that consists of these parts, newest first. */
function readLogOf(repository: Repository, parts: readonly LogPart[], kept: KeptLog | undefined): ReadLog {
  const text = new LogText(parts, () => {
    kept?.forget();
    return withoutEnd(runGitSync(repository, logOf(parts[0]?.index.head ?? LOG_REF)));
  });
  const entries = function* () {
    for (const each of text.texts()) yield* logEntries(each);
  };
  return { outline: outlineParts(parts, text), entries };
}

const logOf = (...revisions: readonly string[]): string[] => [
  ...PLAIN_LOG,
  "-z",
  "--topo-order",
  "--format=%H %P%n%B",
  ...revisions,
  "--",
];

/** Without the NUL that ends the last one, too. */
const withoutEnd = (bytes: Buffer): Buffer => (bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes);

/** The kept parts and the one behind them; undefined where nothing is kept, or the log does not hold it any more. */
async function readBehind(repository: Repository, kept: KeptLog): Promise<readonly LogPart[] | undefined> {
  const { head, parts } = kept;
  if (head === undefined) return undefined;
  // With the kept head itself, unless the log was rolled back or replaced: one printed last has nothing before it but what it
  // had when it was kept.
  const printed = await print(repository, [`^${head}^@`]);
  const last = printed.last.toString("latin1", 0, hexLength(repository.objectFormat));
  if (printed.failure || last !== head) return undefined;
  const part = printed.outliner.end();
  if (part === undefined) return parts;
  await kept.add(part);
  return [part, ...parts];
}

async function readWhole(repository: Repository, kept: KeptLog | undefined): Promise<readonly LogPart[] | undefined> {
  const { failure, outliner, last } = await print(repository, []);
  if (failure) {
    if ((await readRef(repository, LOG_REF)) === null) return undefined;
    throw unreadable(failure);
  }
  if (last.length > 0) outliner.take(last);
  const part = outliner.end();
  if (part === undefined) return [];
  await kept?.replace(part);
  return [part];
}

interface Printed {
  readonly failure: KaiError | undefined;
  /** Has taken all entries but the last one that was printed. */
  readonly outliner: LogOutliner;
  readonly last: Buffer;
}

async function print(repository: Repository, without: readonly string[]): Promise<Printed> {
  const outliner = new LogOutliner();
  let begun: Buffer[] = [];
  const onStdout = (chunk: Buffer) => {
    begun.push(chunk);
    if (!chunk.includes(0)) return;
    const bytes = Buffer.concat(begun);
    // A NUL ends each, the last one too.
    const end = bytes.lastIndexOf(0, bytes.lastIndexOf(0) - 1);
    if (end > 0) outliner.take(bytes.subarray(0, end));
    begun = [bytes.subarray(end + 1)];
  };
  const args = logOf(LOG_REF, ...without);
  const log = await tryGit(repository, args, { onStdout });
  const failure = log.exitCode === 0 ? undefined : gitFailure(args, log);
  return { failure, outliner, last: withoutEnd(Buffer.concat(begun)) };
}

/** A disk's trouble, or a lock, says nothing of the log. */
const unreadable = (failure: KaiError): KaiError =>
  failure.code === "E116"
    ? new KaiError("E121", `The log cannot be trusted: it is damaged (${failure.message}).`, {
        hint: "Nothing was changed. `git fsck` shows what is missing; fetch it from a complete clone.",
        data: failure.data,
        cause: failure,
      })
    : failure;
