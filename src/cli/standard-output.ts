import { fstatSync, statSync, writeSync } from "node:fs";
import { isatty } from "node:tty";

export type StandardOutput = "stdout" | "stderr";

const DESCRIPTORS = { stdout: 1, stderr: 2 } as const;

/** Node's own streams, of those that have to wait for their reader: what Node loads for one takes as long as a short command. */
const streams = new Map<StandardOutput, NodeJS.WriteStream>();
const unreadListeners: (() => void)[] = [];

/**
 * Writes all of it before it returns. A reader such as `head` may close the pipe before it has read all: nobody wants the rest, and
 * nothing failed. Anything else that keeps stdout from being written, a full disk say, ends the process with 1 and is said.
 */
export function writeTo(output: StandardOutput, text: string | Uint8Array): void {
  const stream = streams.get(output);
  if (stream !== undefined) {
    stream.write(text);
    return;
  }
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(DESCRIPTORS[output], bytes, written);
  } catch (cause) {
    // Whoever shares the pipe may have said that nobody waits at it.
    if ((cause as NodeJS.ErrnoException).code === "EAGAIN") streamOf(output).write(bytes.subarray(written));
    else failed(output, cause as NodeJS.ErrnoException);
  }
}

/** Calls it where what was written is read by nobody any more. */
export const onUnread = (listener: () => void): void => {
  unreadListeners.push(listener);
};

function streamOf(output: StandardOutput): NodeJS.WriteStream {
  const stream = process[output];
  stream.on("error", (cause) => failed(output, cause));
  streams.set(output, stream);
  return stream;
}

function failed(output: StandardOutput, cause: NodeJS.ErrnoException): void {
  if (output === "stderr" || cause.code === "EPIPE") {
    for (const listener of unreadListeners) listener();
    return;
  }
  writeTo("stderr", `Error E118: The output could not be written: ${cause.message}\n`);
  process.exit(1);
}

/** Whether nothing comes from it, and nothing that is written to it is kept. */
export const isNull = (descriptor: number): boolean => fstatSync(descriptor).rdev === statSync("/dev/null").rdev;

/** As `isatty`, for which Node loads its sockets only where it may be one. */
export const isTerminal = (descriptor: number): boolean =>
  fstatSync(descriptor).isCharacterDevice() && !isNull(descriptor) && isatty(descriptor);
