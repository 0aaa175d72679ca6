import { fstatSync, readFileSync } from "node:fs";
import { withFile } from "../system/with-file.js";

/** Nothing that is read so comes near that. */
const LARGEST = 1024 * 1024;

/**
 * A small file beside a snapshot's record; undefined where it cannot be read. It may have come with an unpacked archive: a link, a FIFO
 * or a device is neither followed nor waited for.
 */
export function findText(file: string): string | undefined {
  try {
    // Synchronous: a hundred small files are read sooner than a hundred tasks of the thread pool are begun.
    return withFile(file, (descriptor) => {
      const stat = fstatSync(descriptor);
      return stat.isFile() && stat.size <= LARGEST ? readFileSync(descriptor, "utf8") : undefined;
    });
  } catch {
    return undefined;
  }
}
