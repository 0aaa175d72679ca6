import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { KaiError } from "../error.js";
import { handOn, type TakeOutput } from "./hand-on.js";
import { after } from "./timer.js";

export interface ProcessRequest {
  file: string;
  args: readonly string[];
  cwd?: string | undefined;
  /** The whole environment; nothing is inherited beside it. */
  env: NodeJS.ProcessEnv;
  /** What its stdin gives, before it ends; where that is still to come, stdin stays open until it does. */
  input?: string | Uint8Array | Promise<string | Uint8Array> | undefined;
  /** What stdin gives behind that, as it comes; who gives it ends it. */
  stdin?: Readable | undefined;
  /** Descriptors that the child gets as 3, 4, …: how a lock lives as long as the last child. */
  inherit?: readonly number[] | undefined;
  /** Milliseconds; then SIGTERM to the whole group, and SIGKILL after `graceMs`. */
  timeoutMs?: number | undefined;
  graceMs?: number | undefined;
  /** Ends it at once with SIGKILL. */
  cancelled?: AbortSignal | undefined;
  /** Bytes kept of each stream; what is beyond is counted and dropped. Default: all. */
  maxOutput?: number | undefined;
  /** Takes stdout as it comes, of which then nothing is kept. */
  onStdout?: ((chunk: Buffer) => void) | undefined;
  /** The same of both streams; what it gives is waited for before more is read. */
  onChunk?: TakeOutput | undefined;
  /** Aborted: what `onChunk` gives is not waited for any more. So it is, too, when the program has ended. */
  hurried?: AbortSignal | undefined;
}

export interface ProcessResult {
  /** Exit status; undefined when a signal ended it. */
  exitCode: number | undefined;
  signal: NodeJS.Signals | undefined;
  stdout: Buffer;
  stderr: Buffer;
  timedOut: boolean;
  /** Bytes dropped because of `maxOutput`. */
  dropped: number;
  durationMs: number;
}

/** Starts a program without a shell and waits for its end. Throws E117 where it is missing; any exit status is a result. */
export async function runProcess(request: ProcessRequest): Promise<ProcessResult> {
  const started = process.hrtime();
  const child = spawnProgram(request);
  const stdout = collect(child, "stdout", request);
  const stderr = collect(child, "stderr", request);
  let timedOut = false;
  const stopTimer = startTimer(child, request, () => {
    timedOut = true;
  });
  const kill = (): boolean => child.kill("SIGKILL");
  request.cancelled?.addEventListener("abort", kill);
  if (request.cancelled?.aborted) kill();
  // A child that ends before it read all its input is judged by its exit status, not by EPIPE.
  child.stdin?.on("error", () => {});
  if (request.input instanceof Promise) {
    request.input.then(
      (input) => give(child, input, request.stdin),
      () => child.stdin?.destroy(),
    );
  } else give(child, request.input ?? "", request.stdin);
  try {
    const [exitCode, signal] = await closed(child, request.file);
    return {
      exitCode: exitCode ?? undefined,
      signal: signal ?? undefined,
      stdout: Buffer.concat(stdout.chunks),
      stderr: Buffer.concat(stderr.chunks),
      timedOut,
      dropped: stdout.dropped + stderr.dropped,
      durationMs: millisecondsSince(started),
    };
  } finally {
    stopTimer();
    if (child.stdin) request.stdin?.unpipe(child.stdin);
    request.cancelled?.removeEventListener("abort", kill);
  }
}

function give({ stdin }: ChildProcess, input: string | Uint8Array, more: Readable | undefined): void {
  if (stdin === null) return;
  if (more === undefined) {
    stdin.end(input);
    return;
  }
  stdin.write(input);
  more.pipe(stdin);
}

/** Starts a program whose streams the caller drives. */
export function spawnProgram(request: ProcessRequest): ChildProcess {
  return spawn(request.file, [...request.args], {
    cwd: request.cwd,
    env: request.env,
    stdio: ["pipe", "pipe", "pipe", ...(request.inherit ?? [])],
    // A group of its own, so that a time-out reaches what the program itself started.
    detached: request.timeoutMs !== undefined,
    windowsHide: true,
  });
}

/** Starts a program that nobody waits for or hears of, and that outlives this one. */
export function startDetached(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = { PATH: process.env["PATH"] },
): void {
  const child = spawn(file, [...args], { detached: true, stdio: "ignore", env, cwd: "/" });
  // Missing: what it was to do is left for another time.
  child.on("error", () => {});
  child.unref();
}

/** Waits for exit and closed streams; E117 where the program could not be started. */
export function closed(child: ChildProcess, file: string): Promise<[number | null, NodeJS.Signals | null]> {
  return new Promise((resolve, reject) => {
    child.once("error", (cause: NodeJS.ErrnoException) => reject(startFailure(file, cause)));
    child.once("close", (code, signal) => resolve([code, signal]));
  });
}

/** Of `process.hrtime`, since `performance` loads a library of Node's that nothing else here needs. */
function millisecondsSince(started: [number, number]): number {
  const [seconds, nanoseconds] = process.hrtime(started);
  return seconds * 1000 + nanoseconds / 1e6;
}

function startFailure(file: string, cause: NodeJS.ErrnoException): KaiError {
  if (cause.code === "ENOENT") {
    return new KaiError("E117", `The program ${file} was not found.`, {
      hint: "`git kai-version doctor` shows what is missing and the command that installs it.",
      cause,
    });
  }
  return new KaiError("E117", `The program ${file} could not be started: ${cause.message}`, { cause });
}

function collect(child: ChildProcess, stream: "stdout" | "stderr", request: ProcessRequest) {
  const kept = { chunks: [] as Buffer[], size: 0, dropped: 0 };
  const limit = request.maxOutput ?? Number.POSITIVE_INFINITY;
  const { onStdout, onChunk } = request;
  const source = child[stream];
  if (source && onChunk) {
    const ended = new AbortController();
    child.once("exit", () => ended.abort());
    const hurried = request.hurried ? AbortSignal.any([request.hurried, ended.signal]) : ended.signal;
    handOn(source, (chunk) => onChunk(stream, chunk), hurried);
    return kept;
  }
  if (onStdout && stream === "stdout") {
    source?.on("data", onStdout);
    return kept;
  }
  source?.on("data", (chunk: Buffer) => {
    const room = Math.max(0, limit - kept.size);
    const part = chunk.length <= room ? chunk : chunk.subarray(0, room);
    if (part.length > 0) kept.chunks.push(part);
    kept.size += part.length;
    kept.dropped += chunk.length - part.length;
  });
  return kept;
}

function startTimer(child: ChildProcess, request: ProcessRequest, onTimeout: () => void): () => void {
  if (request.timeoutMs === undefined) return () => {};
  let killTimer: NodeJS.Timeout | undefined;
  const forget = after(request.timeoutMs, () => {
    onTimeout();
    signalGroup(child, "SIGTERM");
    killTimer = setTimeout(() => signalGroup(child, "SIGKILL"), request.graceMs ?? 2000);
  });
  return () => {
    forget();
    clearTimeout(killTimer);
  };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Already gone.
  }
}
