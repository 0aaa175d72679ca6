import { closeSync, constants, openSync, readSync, unlinkSync } from "node:fs";
import { chown } from "node:fs/promises";
import { Socket } from "node:net";
import { runProcess } from "./process.js";

/** A pipe that another program is to have: Node's own are sockets, which cannot be opened again by `/dev/stdout`. */
export interface Fifo {
  /** Both closed by whoever has it. */
  readonly reader: number;
  readonly writer: number;
}

/**
 * Makes as many pipes as there are `names`, in `folder`, which has nothing of them afterwards. They belong to `owner`, who may open
 * them again; readers do not wait. Throws E117 without mkfifo(1), and what the file system says.
 */
export async function makeFifos(
  folder: string,
  names: readonly string[],
  owner: { readonly uid: number; readonly gid: number },
): Promise<Fifo[]> {
  const files = names.map((name) => `${folder}/${name}`);
  const made: Fifo[] = [];
  try {
    const env = { PATH: process.env["PATH"] };
    const { exitCode, stderr } = await runProcess({ file: "mkfifo", args: ["-m", "600", ...files], env });
    if (exitCode !== 0) throw new Error(stderr.toString().trim());
    await Promise.all(files.map((file) => chown(file, owner.uid, owner.gid)));
    for (const file of files) {
      const reader = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
      made.push({ reader, writer: openSync(file, constants.O_WRONLY) });
    }
    return made;
  } catch (cause) {
    for (const { reader, writer } of made) for (const each of [reader, writer]) closeSync(each);
    throw cause;
  } finally {
    for (const file of files) removeQuietly(file);
  }
}

function removeQuietly(file: string): void {
  try {
    unlinkSync(file);
  } catch {
    // It was not made.
  }
}

/** The most that a pipe holds, unless root raised that: fs.pipe-max-size, see pipe(7). */
const MOST_HELD = 1024 * 1024;

/**
 * Takes what is written into a pipe as it comes. What is given back takes what lies in it at that moment, and closes it: others may hold
 * the other end open for ever.
 */
export function takeFrom(reader: number, take: (chunk: Buffer) => void): () => void {
  const socket = new Socket({ fd: reader, readable: true, writable: false });
  socket.on("data", take);
  // Its end is the writer's to tell.
  socket.on("error", () => {});
  return () => {
    if (!socket.destroyed) takeHeld(reader, take);
    socket.destroy();
  };
}

function takeHeld(reader: number, take: (chunk: Buffer) => void): void {
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
