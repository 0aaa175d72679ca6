import { closeSync, constants, openSync, readSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { handOn } from "./hand-on.js";
import { runProcess } from "./process.js";

/** A pipe that another program is to have: Node's own are sockets, which cannot be opened again by `/dev/stdout`. */
export interface Fifo {
  /** Does not wait. Both are closed by whoever has it. */
  readonly reader: number;
  readonly writer: number;
}

/** Makes pipes with names, which only this user may open. Throws E117 without mkfifo(1), and what that says. */
export async function makeFifos(files: readonly string[]): Promise<void> {
  const env = { PATH: process.env["PATH"] };
  const { exitCode, stderr } = await runProcess({ file: "mkfifo", args: ["-m", "600", ...files], env });
  if (exitCode !== 0) throw new Error(stderr.toString().trim());
}

/** Takes the names of pipes away; whoever has one open has it still. */
export function removeFifos(files: readonly string[]): void {
  for (const file of files) rmSync(file, { force: true });
}

/** Both ends of a pipe by its name. */
export function openFifo(file: string): Fifo {
  const reader = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return { reader, writer: openSync(file, constants.O_WRONLY) };
  } catch (cause) {
    closeSync(reader);
    throw cause;
  }
}

/** Both ends in one: whoever inherits it is its own writer, and waits for nobody who could be gone. To write into it does not wait. */
export const openWholeFifo = (file: string): number => openSync(file, constants.O_RDWR | constants.O_NONBLOCK);

/** The most that a pipe holds, unless root raised that: fs.pipe-max-size, see pipe(7). */
const MOST_HELD = 1024 * 1024;

/**
 * Takes what is written into a pipe as it comes, as `handOn` does. What is given back takes what lies in it at that moment, and closes it:
 * others may hold the other end open for ever.
 */
export function takeFrom(
  reader: number,
  take: (chunk: Buffer) => Promise<void> | undefined,
  hurried: AbortSignal,
): () => void {
  const socket = new Socket({ fd: reader, readable: true, writable: false });
  let isLast = false;
  handOn(socket, (chunk) => (isLast ? void take(chunk) : take(chunk)), hurried);
  // Its end is the writer's to tell.
  socket.on("error", () => {});
  return () => {
    isLast = true;
    // What is read already, and not handed on yet, comes first: to read it hands it on.
    while (socket.read() !== null);
    if (!socket.destroyed) takeHeld(reader, take);
    socket.destroy();
  };
}

function takeHeld(reader: number, take: (chunk: Buffer) => unknown): void {
  for (let taken = 0; taken < MOST_HELD; ) {
    const chunk = Buffer.allocUnsafe(64 * 1024);
    let length = 0;
    try {
      length = readSync(reader, chunk);
    } catch {
      // EAGAIN: nothing lies in it.
    }
    if (length === 0) return;
    take(chunk.subarray(0, length));
    taken += length;
  }
}
