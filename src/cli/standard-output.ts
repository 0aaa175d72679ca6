import { fstatSync, statSync, writeSync } from "node:fs";
import { isatty } from "node:tty";

export type StandardOutput = "stdout" | "stderr";

const DESCRIPTORS = { stdout: 1, stderr: 2 } as const;

/** Node's own streams, where one has to wait for its reader: what Node loads for one takes as long as a short command. */
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

/** Bytes that wait for a reader who is slow, such as somebody at a pager; then whoever writes more waits, too. */
const MOST_WAITING = 16 * 1024 * 1024;

/**
 * Writes what comes for long, as of a command in a sandbox, and does not hold this process up where it goes to a pipe: its clocks and
 * signals go on. (To a terminal Node writes at once, also where somebody has stopped that.) Gives a promise where much of it waits for its reader.
 */
export function pourInto(output: StandardOutput, text: string | Uint8Array): Promise<void> | undefined {
  const stream = streamOf(output);
  stream.write(text);
  return stream.writableLength > MOST_WAITING ? read(stream) : undefined;
}

const reads = new Map<NodeJS.WriteStream, Promise<void>>();

/** When all that waits is read, or nobody will read it; one promise for all who ask meanwhile. */
function read(stream: NodeJS.WriteStream): Promise<void> {
  const known = reads.get(stream);
  if (known !== undefined) return known;
  const asked = new Promise<void>((resolve) => {
    const done = () => {
      for (const event of ["drain", "error", "close"]) stream.off(event, done);
      reads.delete(stream);
      resolve();
    };
    for (const event of ["drain", "error", "close"]) stream.on(event, done);
  });
  reads.set(stream, asked);
  return asked;
}

/** Calls it where what was written is read by nobody any more. */
export const onUnread = (listener: () => void): void => {
  unreadListeners.push(listener);
};

function streamOf(output: StandardOutput): NodeJS.WriteStream {
  const known = streams.get(output);
  if (known !== undefined) return known;
  const stream = process[output];
  stream.on("error", (cause) => failed(output, cause));
  streams.set(output, stream);
  return stream;
}

let isToldToFail = false;

function failed(output: StandardOutput, cause: NodeJS.ErrnoException): void {
  const isTold = output === "stdout" && cause.code !== "EPIPE";
  if (isTold && !isToldToFail) {
    isToldToFail = true;
    process.once("exit", () => {
      process.exitCode = 1;
    });
    writeTo("stderr", `Error E118: The output could not be written: ${cause.message}\n`);
  }
  // What still runs, such as a command in a sandbox, is ended by whoever knows of it.
  for (const listener of unreadListeners) listener();
  if (isTold && unreadListeners.length === 0) process.exit(1);
}

/** Whether nothing comes from it, and nothing that is written to it is kept. */
export const isNull = (descriptor: number): boolean =>
  fstatSync(descriptor).rdev === statSync("/dev/null", { throwIfNoEntry: false })?.rdev;

/** As `isatty`, for which Node loads its sockets only where it may be one. */
export const isTerminal = (descriptor: number): boolean =>
  fstatSync(descriptor).isCharacterDevice() && !isNull(descriptor) && isatty(descriptor);
