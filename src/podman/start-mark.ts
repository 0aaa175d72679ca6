import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { TakeOutput } from "../system/hand-on.js";

/** Bytes kept of what comes before the line: podman says less. */
const MOST_BEFORE = 64 * 1024;

/** When a command began, by two clocks of this process, in milliseconds. */
export interface Began {
  /** As `performance.now` has it. */
  readonly at: number;
  /** Since the epoch. */
  readonly time: number;
}

/**
 * Tells when a command in a container begins, whatever podman does before: its shell says so on stderr in a line that nobody else
 * knows, which is taken out. What stands before that line is podman's own.
 */
export class StartMark {
  readonly #line = `began-${randomUUID()}`;
  readonly #onChunk: TakeOutput | undefined;
  readonly #ownKernel: boolean;
  #before = Buffer.alloc(0);
  #began: Began | undefined;
  /** Is called when it has begun. */
  onBegan: (() => void) | undefined;

  /** `ownKernel`: where the clock of the container is another one. */
  constructor(onChunk: TakeOutput | undefined, { ownKernel }: { readonly ownKernel: boolean }) {
    this.#onChunk = onChunk;
    this.#ownKernel = ownKernel;
  }

  /** What a shell does in front of the command, which gets none of the shell's own variables. */
  get script(): string {
    return `{ read -r kai_up _ </proc/uptime; } 2>/dev/null; echo "${this.#line} $kai_up" >&2; unset kai_up PWD OLDPWD SHLVL; `;
  }

  get began(): Began | undefined {
    return this.#began;
  }

  /** What podman said; of a command that has not begun, all of it. */
  get words(): string {
    return this.#before.toString();
  }

  /** What was kept was the command's: somebody in the container took the line away. */
  release(): void {
    if (this.#began === undefined && this.#before.length > 0) this.#onChunk?.("stderr", this.#before);
  }

  readonly take: TakeOutput = (stream, chunk) => {
    if (stream === "stdout" || this.#began !== undefined) {
      return this.#onChunk?.(stream, chunk);
    }
    const all = Buffer.concat([this.#before, chunk]);
    this.#before = all.subarray(-MOST_BEFORE);
    const at = all.indexOf(this.#line);
    const end = at < 0 ? -1 : all.indexOf("\n", at);
    if (end < 0) return undefined;
    this.#before = all.subarray(0, at);
    const late = this.#ownKernel ? 0 : sinceUptime(all.subarray(at, end).toString().split(" ")[1]);
    this.#began = { at: performance.now() - late, time: Date.now() - late };
    this.onBegan?.();
    return end + 1 < all.length ? this.#onChunk?.(stream, all.subarray(end + 1)) : undefined;
  };
}

/** How long ago the system had been up for so many seconds, to a hundredth: podman may have handed the line on late. */
function sinceUptime(seconds: string | undefined): number {
  const [now = ""] = readFileSync("/proc/uptime", "utf8").split(" ");
  const past = (Number(now) - Number(seconds || now)) * 1000;
  return Number.isFinite(past) ? Math.max(0, past) : 0;
}
