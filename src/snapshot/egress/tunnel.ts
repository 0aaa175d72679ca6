import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/**
 * Joins two streams until both have ended, each direction by itself as TCP has it. Once one has ended, the client's socket may be
 * silent for `halfOpenMs` at most.
 */
export async function joinStreams(client: Socket, upstream: Duplex, halfOpenMs: number): Promise<void> {
  const closed = [client, upstream].map((stream) => new Promise<void>((resolve) => stream.once("close", resolve)));
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    one.on("error", () => other.destroy());
    one.once("close", () => {
      if (!one.readableEnded || !one.writableFinished) other.destroy();
    });
    one.once("end", () => client.setTimeout(halfOpenMs));
    one.pipe(other);
  }
  if (client.destroyed) upstream.destroy();
  if (upstream.destroyed) client.destroy();
  await Promise.all(closed);
}
