import type { Readable } from "node:stream";
import type { TakeOutput } from "../system/hand-on.js";

/** What a command in a container is given, and who sees what it prints. */
export interface CommandStreams {
  /** What it reads; nothing where there is none. */
  readonly stdin?: Readable | undefined;
  /** Takes what it prints as it comes. A command whose output nobody takes waits with it, and its time goes on. */
  readonly onChunk?: TakeOutput | undefined;
  /** Aborted when nobody reads what was taken: the command is ended, as others are by SIGPIPE. */
  readonly unread?: AbortSignal | undefined;
}

/** The exit status of a command that was ended because nobody read what it printed: that of SIGPIPE. */
export const UNREAD = 141;
