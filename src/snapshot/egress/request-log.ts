/** One thing that a sandbox asked of the network, or tried. */
export interface EgressRequest {
  /** When it was asked, ISO 8601. */
  time: string;
  /** CONNECT for a tunnel; empty where nothing could be read. */
  method: string;
  host: string;
  port: number | null;
  /** What the proxy connected to. */
  address: string | null;
  /** Whether it may be asked; false with a reason. */
  allowed: boolean;
  /** Why it was refused, or what failed. */
  reason: string | null;
  /** Bytes sent to the host and got from it, headers and TLS included. */
  bytesUp: number;
  bytesDown: number;
  durationMs: number;
}

/** How many are kept of those that were allowed, and again of those that were not: trying in vain hides nothing. */
export const KEPT_REQUESTS = 1000;
const LONGEST_TEXT = 255;

interface Kept {
  place: number;
  request: EgressRequest;
}

export interface DroppedRequests {
  allowed: number;
  refused: number;
}

export class RequestLog {
  readonly #kept = { allowed: [] as Kept[], refused: [] as Kept[] };
  readonly #dropped: DroppedRequests = { allowed: 0, refused: 0 };
  readonly #onRequest: (request: EgressRequest) => void;
  #asked = 0;

  constructor(onRequest: (request: EgressRequest) => void = () => {}) {
    this.#onRequest = onRequest;
  }

  /** A request begins: its place among the others, for those that begin in the same millisecond. */
  ask(): number {
    this.#asked += 1;
    return this.#asked;
  }

  /** Takes a request that has ended. */
  add(request: EgressRequest, place = this.ask()): void {
    const kind = request.allowed ? "allowed" : "refused";
    if (this.#kept[kind].length < KEPT_REQUESTS) this.#kept[kind].push({ place, request });
    else this.#dropped[kind] += 1;
    this.#onRequest(request);
  }

  /** What was kept, in the order of asking. */
  all(): EgressRequest[] {
    const { allowed, refused } = this.#kept;
    return [...allowed, ...refused].sort((a, b) => a.place - b.place).map(({ request }) => request);
  }

  /** How many were not kept. */
  dropped(): DroppedRequests {
    return { ...this.#dropped };
  }
}

/** What a sandbox wrote, fit to be kept and shown: short, and nothing but printable ASCII. */
export const printable = (text: string): string => text.slice(0, LONGEST_TEXT).replace(/[^\x20-\x7e]/g, "?");
