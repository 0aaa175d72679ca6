/** Enough to keep the file system busy, few enough to hold only some files in memory. */
const AT_ONCE = 16;

/** Does `work` on every item, several at once; rejects with the first failure. */
export async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
