import { constants } from "node:fs";
import { open } from "node:fs/promises";

const CHUNK = 64 * 1024;

/** Whether two regular files hold the same, neither of them followed where it is a link. */
export async function sameBytes(a: Buffer, b: Buffer): Promise<boolean> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const one = await open(a, flags);
  try {
    const other = await open(b, flags);
    try {
      const left = Buffer.alloc(CHUNK);
      const right = Buffer.alloc(CHUNK);
      for (;;) {
        const { bytesRead } = await one.read(left, 0, CHUNK);
        const { bytesRead: same } = await other.read(right, 0, CHUNK);
        if (bytesRead !== same || left.compare(right, 0, same, 0, bytesRead) !== 0) return false;
        if (bytesRead === 0) return true;
      }
    } finally {
      await other.close();
    }
  } finally {
    await one.close();
  }
}
