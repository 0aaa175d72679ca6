import { once } from "node:events";
import { isIP, type Socket } from "node:net";
import { type Destination, normaliseHost } from "../../system/host-name.js";
import { specialPurposeOf } from "../../system/special-address.js";
import type { EgressNetwork } from "./network.js";
import { Refusal } from "./refusal.js";

export interface Reached {
  socket: Socket;
  /** The address that was checked and connected to. */
  address: string;
}

/** It may be asked, and did not work. */
const FAILED = { forbidden: false };
/** One try has this share of the time where another address is left. */
const TRY_SHARE = 1 / 3;
const BAD_GATEWAY = 502;
const TOO_LATE = 504;

/**
 * Resolves a destination that the list allows, refuses it where any of its addresses is not on the public internet, and connects to
 * one of the very addresses that it looked at, all within `timeMs`. Throws a refusal.
 */
export async function reach(
  destination: Destination,
  network: EgressNetwork,
  { timeMs, gone }: { timeMs: number; gone: AbortSignal },
): Promise<Reached> {
  const patience = new AbortController();
  const timer = setTimeout(
    () => patience.abort(new Refusal(TOO_LATE, `${destination.host} was not reached in time`, FAILED)),
    timeMs,
  );
  const leave = () => patience.abort(new Refusal(BAD_GATEWAY, "the sandbox left before it was reached", FAILED));
  gone.addEventListener("abort", leave, { once: true });
  if (gone.aborted) leave();
  try {
    const addresses = await resolve(destination.host, network, patience.signal);
    for (const address of addresses) refuseSpecial(destination.host, address, network);
    return await connectToOne(destination, addresses, { network, signal: patience.signal, tryMs: timeMs * TRY_SHARE });
  } finally {
    clearTimeout(timer);
    gone.removeEventListener("abort", leave);
  }
}

async function resolve(host: string, network: EgressNetwork, signal: AbortSignal): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  try {
    const addresses = await untilAborted(network.resolve(host, signal), signal);
    const known = addresses.map(normaliseHost).filter((address) => address !== undefined && isIP(address) !== 0);
    if (known.length === 0 || known.length < addresses.length) throw new Error("no address");
    return known as string[];
  } catch (cause) {
    throw failed(`${host} could not be resolved`, cause, signal);
  }
}

function refuseSpecial(host: string, address: string, network: EgressNetwork): void {
  const what = specialPurposeOf(address) ?? (network.ownAddresses().has(address) ? "this machine's own" : undefined);
  if (what !== undefined) throw new Refusal(403, `${host} leads to ${address}, which is ${what}`);
}

interface Way {
  network: EgressNetwork;
  signal: AbortSignal;
  tryMs: number;
}

async function connectToOne({ host, port }: Destination, addresses: readonly string[], way: Way): Promise<Reached> {
  let failure: unknown;
  for (const [index, address] of addresses.entries()) {
    try {
      return { socket: await connect(address, port, way, index < addresses.length - 1), address };
    } catch (cause) {
      failure = cause;
    }
  }
  throw failed(`${host} could not be connected to`, failure, way.signal);
}

async function connect(address: string, port: number, way: Way, hasNext: boolean): Promise<Socket> {
  way.signal.throwIfAborted();
  const socket = way.network.connect(address, port);
  const tooLong = Object.assign(new Error("connect"), { code: "ETIMEDOUT" });
  const timer = hasNext ? setTimeout(() => socket.destroy(tooLong), way.tryMs) : undefined;
  try {
    await once(socket, "connect", { signal: way.signal });
    return socket;
  } catch (cause) {
    socket.on("error", () => {});
    socket.destroy();
    throw cause;
  } finally {
    clearTimeout(timer);
  }
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  return Promise.race([work, aborted]);
}

function failed(what: string, cause: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  const { code, message } = cause as NodeJS.ErrnoException;
  return new Refusal(BAD_GATEWAY, `${what}: ${code ?? message}`, { ...FAILED, cause });
}
