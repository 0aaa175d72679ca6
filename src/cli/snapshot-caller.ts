import type { CommandStreams } from "../podman/command-streams.js";
import type { OutputStream } from "../snapshot/sandbox/execution-output.js";
import type { Caller } from "../version/writing-session.js";
import { callerOf } from "./caller.js";
import type { CommandContext } from "./context.js";
import { interruptible } from "./interruption.js";
import { isNull, isTerminal, onUnread } from "./standard-output.js";

/** Does something with a caller that Ctrl-C and its kin interrupt: what was begun is taken away again. */
export const withSnapshotCaller = <T>(context: CommandContext, work: (caller: Caller) => Promise<T>): Promise<T> =>
  interruptible((signal) => work({ ...callerOf(context), interrupted: signal, onWaiting: context.output.waiting }));

/**
 * Gives a command in a sandbox this process's own streams: stdin where that is no terminal, and its output as it comes, or with
 * --json in the document.
 */
export async function withStreams<T>(
  { output }: CommandContext,
  work: (streams: CommandStreams) => Promise<T>,
): Promise<T> {
  const stdin = isNull(0) || isTerminal(0) ? undefined : process.stdin;
  // What cannot be read is as good as nothing, and ends no command.
  stdin?.on("error", () => {});
  const unread = new AbortController();
  onUnread(() => unread.abort());
  const shown = { onChunk: (stream: OutputStream, chunk: Buffer) => output.raw(stream, chunk), unread: unread.signal };
  try {
    return await work({ stdin, ...(output.json ? {} : shown) });
  } finally {
    // Nobody may ever close it.
    stdin?.destroy();
  }
}
