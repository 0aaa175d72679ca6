import {
  type BigIntStats,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
} from "node:fs";

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Elsewhere than on Linux a name is reached by its path, each folder on the way looked at once. */
const HAS_HANDLES = existsSync("/proc/self/fd");

/**
 * A folder that is held open: what is done at its names is done in this very folder, whatever is put in its place or in that
 * of a folder above it meanwhile. Names are bytes as latin1 text.
 */
export class HeldFolder {
  readonly #descriptor: number;
  readonly #path: Buffer;

  private constructor(path: Buffer, flags: number) {
    this.#descriptor = openSync(path, flags);
    this.#path = HAS_HANDLES ? Buffer.from(`/proc/self/fd/${this.#descriptor}`) : path;
  }

  /** Links on the way to `root` are the user's own and followed; `root` itself may be one. */
  static open(root: string): HeldFolder {
    return new HeldFolder(Buffer.from(root), constants.O_RDONLY | constants.O_DIRECTORY);
  }

  /** The name in this folder, for any function that takes a path. A link at the name itself is the function's affair. */
  at(name: string): Buffer {
    return Buffer.concat([this.#path, Buffer.from(`/${name}`, "latin1")]);
  }

  /** Where it is now, without links: for a program that is given a path. */
  path(): Buffer {
    return HAS_HANDLES
      ? readlinkSync(this.#path, { encoding: "buffer" })
      : realpathSync(this.#path, { encoding: "buffer" });
  }

  /** What is at a name, links not followed. */
  find(name: string): BigIntStats | undefined {
    return lstatSync(this.at(name), { bigint: true, throwIfNoEntry: false });
  }

  /** The folder of that name; undefined where nothing is there, `blocked` where it is no folder but a link, say. */
  child(name: string): HeldFolder | "blocked" | undefined {
    try {
      return new HeldFolder(this.at(name), FOLDER);
    } catch (cause) {
      const { code = "" } = cause as NodeJS.ErrnoException;
      if (code === "ENOENT") return undefined;
      if (code === "ELOOP" || code === "ENOTDIR") return "blocked";
      throw cause;
    }
  }

  /** Makes a folder, which belongs to whom this one does, also where root makes it; one that is there already will do. */
  make(name: string): void {
    try {
      mkdirSync(this.at(name));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
      return;
    }
    const { uid, gid } = this.owner();
    if (process.getuid?.() === 0) lchownSync(this.at(name), uid, gid);
  }

  owner(): { readonly uid: number; readonly gid: number } {
    return fstatSync(this.#descriptor);
  }

  sync(): void {
    fsyncSync(this.#descriptor);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/**
 * Goes down from `root` along `folders`, following no link. Undefined where one is missing and `make` is not set; `blocked`
 * where one is no folder.
 */
export function openBelow(
  root: string,
  folders: readonly string[],
  { make }: { readonly make: boolean },
): HeldFolder | "blocked" | undefined {
  let here = HeldFolder.open(root);
  for (const name of folders) {
    const above = here;
    try {
      const next = above.child(name) ?? (make ? makeBelow(above, name) : undefined);
      if (next === undefined || next === "blocked") return next;
      here = next;
    } finally {
      above.close();
    }
  }
  return here;
}

function makeBelow(above: HeldFolder, name: string): HeldFolder | "blocked" | undefined {
  above.make(name);
  above.sync();
  return above.child(name);
}
