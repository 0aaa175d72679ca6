import { closeSync, constants, openSync } from "node:fs";

/** Opens a file to read it: never a link's target, and never waiting for the other end of a pipe that came to be there. */
export function withFile<T>(file: Buffer | string, work: (descriptor: number) => T): T {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return work(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
