import { closeSync, constants, openSync } from "node:fs";

/** To read a file: never a link's target, and never waiting for the other end of a pipe that came to be there. */
export const TO_READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Does something with a file that is open for it. */
export function withFile<T>(file: Buffer | string, work: (descriptor: number) => T): T {
  const descriptor = openSync(file, TO_READ);
  try {
    return work(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
