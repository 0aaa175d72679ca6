/** Enough to keep the file system busy, few enough to hold only some files in memory. */
const AT_ONCE = 16;

/**
 * Does `work` on every item, several at once; rejects with the first failure, behind which no other item is begun, when none is at work
 * any more.
 */
export async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  let failed = false;
  const worker = async (): Promise<void> => {
    for (const item of queue) {
      if (failed) return;
      await work(item).catch((cause: unknown) => {
        failed = true;
        throw cause;
      });
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, worker));
  const first = ends.find((each) => each.status === "rejected");
  if (first) throw first.reason;
}
