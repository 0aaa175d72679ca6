import { once } from "node:events";
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { OutputTail } from "./output-tail.js";
import { endOf, type StartShell, startShellHere } from "./start-shell.js";
import { pause } from "./timer.js";
import { watchMemory } from "./watch-memory.js";

export interface ShellRequest {
  readonly run: string;
  readonly cwd: string;
  /** The whole environment. */
  readonly env: NodeJS.ProcessEnv;
  /** Milliseconds; then SIGTERM to all of its process group, and SIGKILL after `graceMs`. */
  readonly timeoutMs: number;
  readonly graceMs: number;
  readonly onOutput?: ((text: string) => void) | undefined;
  /** Ends it at once with SIGKILL. */
  readonly cancelled?: AbortSignal | undefined;
  /** Looks at stdout and at memory too; the lines of the two streams then stand only roughly in their order. */
  readonly observed?: boolean | undefined;
  /** Where it runs. Default: on this host. */
  readonly startShell?: StartShell | undefined;
}

export interface ShellResult {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  /** Both streams as they came, the last 64 KiB. */
  readonly output: string;
  readonly dropped: number;
  readonly durationMs: number;
  /** Why it could not even be started. */
  readonly problem: string | null;
  /** The last MiB of it, where it was observed. */
  readonly stdout: string;
  /** The most bytes that its processes had resident together, as seen every few milliseconds; undefined: never seen. */
  readonly peakMemory: number | undefined;
}

const KEPT_OUTPUT = 64 * 1024;
const KEPT_STDOUT = 1024 * 1024;
/** For what a command wrote last; who still holds its output open after that is not waited for. */
const DRAIN_MS = 200;

/** Two streams into one, so that the lines stand in the order in which they were written. */
const BOTH_STREAMS = 'exec /bin/sh -c "$1" 2>&1';

/** Runs a shell command in a session of its own until the shell ends; it never throws. */
export async function runShell(request: ShellRequest): Promise<ShellResult> {
  const started = performance.now();
  const { run, cwd, env, graceMs, timeoutMs, observed = false, onOutput, startShell = startShellHere } = request;
  const tail = new OutputTail(KEPT_OUTPUT);
  const stdout = new OutputTail(KEPT_STDOUT);
  const stdio: ("ignore" | "pipe")[] = ["ignore", "pipe", observed ? "pipe" : "ignore"];
  const shell = startShell(observed ? [run] : [BOTH_STREAMS, "sh", run], { cwd, env, stdio });
  const { child } = shell;
  collect(child.stdout, observed ? [tail, stdout] : [tail], onOutput);
  collect(child.stderr, [tail], onOutput);
  const over = new AbortController();
  const memory = observed ? shell.leader().then((leader) => leader && watchMemory(leader, over.signal)) : undefined;
  const ended = endOf(child);
  let timedOut = false;
  if (!(await isWithin(ended, timeoutMs, request.cancelled))) {
    timedOut = request.cancelled?.aborted !== true;
    await shell.end(timedOut ? graceMs : 0);
  }
  const { exitCode, signal, problem } = await ended;
  over.abort();
  await drain([child.stdout, child.stderr]);
  return {
    exitCode,
    signal,
    timedOut,
    ...tail.end(),
    durationMs: Math.round(performance.now() - started),
    problem,
    stdout: stdout.end().output,
    peakMemory: await memory,
  };
}

function collect(
  stream: Readable | null | undefined,
  tails: readonly OutputTail[],
  onOutput: ShellRequest["onOutput"],
): void {
  const decoder = new StringDecoder("utf8");
  stream?.on("data", (chunk: Buffer) => {
    for (const tail of tails) tail.add(chunk);
    const text = decoder.write(chunk);
    if (text !== "") onOutput?.(text);
  });
  stream?.on("error", () => {});
}

async function isWithin(ended: Promise<unknown>, ms: number, cancelled: AbortSignal | undefined): Promise<boolean> {
  const over = new AbortController();
  const signal = cancelled === undefined ? over.signal : AbortSignal.any([over.signal, cancelled]);
  const late = pause(ms, signal).then(() => false);
  const first = await Promise.race([ended.then(() => true), late]);
  over.abort();
  return first;
}

async function drain(streams: readonly (Readable | null | undefined)[]): Promise<void> {
  const signal = AbortSignal.timeout(DRAIN_MS);
  await Promise.all(
    streams.map(async (stream) => {
      if (!stream || stream.closed) return;
      await once(stream, "close", { signal }).catch(() => {});
      stream.destroy();
    }),
  );
}
