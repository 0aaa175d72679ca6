import type { Readable } from "node:stream";

/** Takes what a program prints as it comes; what it gives has to be waited for before there is more. */
export type TakeOutput = (stream: "stdout" | "stderr", chunk: Buffer) => Promise<void> | undefined;

/**
 * Hands on what comes from a stream, one chunk at a time: whoever takes slowly slows down whoever writes, and nothing heaps up here.
 * From `hurried` on nobody is waited for: what is still to come is little, as its writer is being ended.
 */
export function handOn(
  source: Readable,
  take: (chunk: Buffer) => Promise<void> | undefined,
  hurried?: AbortSignal | undefined,
): void {
  const goOn = () => {
    source.resume();
  };
  hurried?.addEventListener("abort", goOn, { once: true });
  source.once("close", () => hurried?.removeEventListener("abort", goOn));
  source.on("data", (chunk: Buffer) => {
    const taken = take(chunk);
    if (taken === undefined || hurried?.aborted) return;
    source.pause();
    taken.then(goOn, goOn);
  });
}
