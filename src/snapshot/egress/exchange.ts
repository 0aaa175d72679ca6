import type { Socket } from "node:net";
import type { Refusal } from "./refusal.js";
import { type EgressRequest, printable, type RequestLog } from "./request-log.js";
import type { RequestTarget } from "./request-target.js";

/** One request on its way, and what the record will say of it. */
export class Exchange {
  readonly #log: RequestLog;
  readonly #record: EgressRequest;
  readonly #place: number;
  readonly #started = performance.now();
  #socket: Socket | undefined;

  constructor(log: RequestLog, at: Date, { method, written }: { method: string; written: string }) {
    this.#log = log;
    this.#place = log.ask();
    this.#record = {
      time: at.toISOString(),
      method: printable(method),
      host: printable(hostPart(written)),
      port: null,
      address: null,
      allowed: false,
      reason: null,
      bytesUp: 0,
      bytesDown: 0,
      durationMs: 0,
    };
  }

  /** It is known where it goes. */
  aimAt({ host, port }: RequestTarget): void {
    Object.assign(this.#record, { host, port });
  }

  /** It goes there, over this socket. */
  reached(socket: Socket, address: string): void {
    this.#socket = socket;
    Object.assign(this.#record, { address, allowed: true });
  }

  /** It may not be, or it failed; the first reason stands. */
  refused({ forbidden, message }: Refusal): void {
    this.#record.allowed = !forbidden;
    this.#record.reason ??= message;
  }

  /** What is the reason if it fails now. */
  broke(reason: string): void {
    this.#record.reason ??= reason;
  }

  /** Writes the record. */
  end(): void {
    this.#record.bytesUp = this.#socket?.bytesWritten ?? 0;
    this.#record.bytesDown = this.#socket?.bytesRead ?? 0;
    this.#record.durationMs = Math.round(performance.now() - this.#started);
    this.#log.add(this.#record, this.#place);
  }
}

/** Of a target that could not be read, what may be its host: paths and passwords are not recorded. */
const hostPart = (written: string): string => {
  const [authority = ""] = written.replace(/^[a-z]+:\/\//i, "").split(/[/?#]/);
  return authority.slice(authority.lastIndexOf("@") + 1);
};
