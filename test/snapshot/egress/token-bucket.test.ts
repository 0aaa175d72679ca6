import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { ThrottledSocket } from "../../../src/snapshot/egress/throttled-socket.js";
import { TokenBucket } from "../../../src/snapshot/egress/token-bucket.js";

const BURST_MS = 50;
const rate = fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1000, max: 10_000_000_000 }));

test("however it is asked, no more than the rate, the burst and a piece pass", () => {
  const step = fc.record({
    pause: fc.double({ min: 0, max: 500, noNaN: true }),
    share: fc.integer({ min: 1, max: 100 }),
  });
  fc.assert(
    fc.property(rate, fc.array(step, { minLength: 1, maxLength: 60 }), (bits, steps) => {
      let now = 1000;
      const bucket = new TokenBucket(bits, () => now);
      let passed = 0;
      return steps.every(({ pause, share }) => {
        now += pause;
        const bytes = Math.ceil((bucket.piece * share) / 100);
        const at = now + bucket.take(bytes);
        passed += bytes;
        const most = (bits / 8000) * (at - 1000 + BURST_MS);
        return passed <= most * (1 + 1e-9) + 1e-6;
      });
    }),
  );
});

test("whoever always asks for more gets the rate, also where timers are late", () => {
  fc.assert(
    fc.property(rate, fc.integer({ min: 0, max: BURST_MS - 1 }), (bits, late) => {
      let now = 0;
      const bucket = new TokenBucket(bits, () => now);
      const begun = bucket.take(bucket.piece);
      now += begun;
      for (let index = 0; index < 500; index++) {
        const wait = bucket.take(bucket.piece);
        now += wait === 0 ? 0 : wait + late;
      }
      const due = begun + (500 * bucket.piece * 8000) / bits;
      return now >= due - BURST_MS - 1e-3 && now <= due + late + 1e-3;
    }),
  );
});

/** Both ends of a connection, the first one throttled. */
async function pair(bitsPerSecond: number): Promise<[ThrottledSocket, Socket]> {
  const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const near = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const [far] = (await once(server, "connection")) as [Socket];
  onTestFinished(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return [new ThrottledSocket(near, new TokenBucket(bitsPerSecond)), far];
}

const collect = (stream: Duplex): Promise<Buffer> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.once("end", () => resolve(Buffer.concat(chunks)));
  });

const closed = (stream: Duplex): Promise<void> =>
  new Promise((resolve) => {
    stream.on("error", () => {});
    stream.once("close", resolve);
    stream.resume();
  });

test("every byte arrives, in order, each direction ends by itself", async () => {
  const [throttled, far] = await pair(16_000_000);
  const sent = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
  throttled.end(sent);
  expect((await collect(far)).equals(sent)).toBe(true);
  far.end(sent);
  expect((await collect(throttled)).equals(sent)).toBe(true);
});

test("whichever side breaks off, the other ends", async () => {
  const [first, far] = await pair(8000);
  const firstClosed = closed(first);
  first.write(Buffer.alloc(100_000));
  far.destroy();
  await firstClosed;
  const [second, other] = await pair(8000);
  const rest = collect(other);
  second.destroy();
  await rest;
});
