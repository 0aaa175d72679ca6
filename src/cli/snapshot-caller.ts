import type { OutputStream } from "../snapshot/sandbox/execution-output.js";
import type { Caller } from "../version/writing-session.js";
import { callerOf } from "./caller.js";
import type { CommandContext } from "./context.js";
import { interruptible } from "./interruption.js";

/** Does something with a caller that Ctrl-C and its kin interrupt: what was begun is taken away again. */
export const withSnapshotCaller = <T>(context: CommandContext, work: (caller: Caller) => Promise<T>): Promise<T> =>
  interruptible((signal) => work({ ...callerOf(context), interrupted: signal }));

/** Hands a sandbox's output on as it comes; with --json it is in the document. */
export const handedOn = ({ output }: CommandContext): ((stream: OutputStream, chunk: Buffer) => void) | undefined =>
  output.json ? undefined : (stream, chunk) => output.raw(stream, chunk);
