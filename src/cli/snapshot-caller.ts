import { fstatSync, statSync } from "node:fs";
import { isatty } from "node:tty";
import type { CommandStreams } from "../podman/command-streams.js";
import type { OutputStream } from "../snapshot/sandbox/execution-output.js";
import type { Caller } from "../version/writing-session.js";
import { callerOf } from "./caller.js";
import type { CommandContext } from "./context.js";
import { interruptible } from "./interruption.js";

/** Does something with a caller that Ctrl-C and its kin interrupt: what was begun is taken away again. */
export const withSnapshotCaller = <T>(context: CommandContext, work: (caller: Caller) => Promise<T>): Promise<T> =>
  interruptible((signal) => work({ ...callerOf(context), interrupted: signal, onWaiting: context.output.waiting }));

const isNull = (descriptor: number): boolean => fstatSync(descriptor).rdev === statSync("/dev/null").rdev;

/**
 * Gives a command in a sandbox this process's own streams: stdin where that is no terminal, and its output as it comes, or with
 * --json in the document.
 */
export async function withStreams<T>(
  { output }: CommandContext,
  work: (streams: CommandStreams) => Promise<T>,
): Promise<T> {
  const stdin = isatty(0) || isNull(0) ? undefined : process.stdin;
  // What cannot be read is as good as nothing, and ends no command.
  stdin?.on("error", () => {});
  const unread = new AbortController();
  // Another failure than a closed pipe ends the process: see `tolerateClosedPipes`.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => unread.abort());
  const shown = { onChunk: (stream: OutputStream, chunk: Buffer) => output.raw(stream, chunk), unread: unread.signal };
  try {
    return await work({ stdin, ...(output.json ? {} : shown) });
  } finally {
    // Nobody may ever close it.
    stdin?.destroy();
  }
}
