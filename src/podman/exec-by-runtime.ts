import { chownSync, closeSync, writeSync } from "node:fs";
import type { Readable } from "node:stream";
import { KaiError } from "../error.js";
import { type Fifo, makeFifos, openFifo, openWholeFifo, removeFifos, takeFrom } from "../system/fifo.js";
import type { TakeOutput } from "../system/hand-on.js";
import { type ProcessResult, runProcess } from "../system/process.js";
import { EXEC_MARK } from "./end-exec.js";
import type { ExecRequest } from "./plan-exec.js";
import { podmanEnvironment } from "./podman.js";
import type { ContainerRuntime } from "./runtime-of.js";

/** A request, and what the container's shell does with the words of its command. */
export type RuntimeExec = ExecRequest & { readonly script: string };

export interface RuntimeExecOptions {
  readonly env: NodeJS.ProcessEnv;
  /** A folder of the container's own. */
  readonly folder: string;
  readonly stdin?: Readable | undefined;
  readonly timeoutMs: number;
  /** Takes what the command prints as it comes. */
  readonly take: TakeOutput;
  /** Aborted: what `take` gives is not waited for any more. */
  readonly hurried: AbortSignal;
  readonly onStarted?: (() => void) | undefined;
}

/** Of what the runtime itself says; what the container's shell prints before it has its streams comes with it. */
const MOST_WORDS = 16 * 1024;

/**
 * Executes a command in a container as podman does in the end, by its runtime, in a seventh of podman's time: see docs/adr/0033. Its
 * rights and limits are those of the container's first process. The runtime's own words are the result's `stderr`. Undefined where
 * nothing was begun because this cannot be done so.
 */
export async function execByRuntime(
  runtime: ContainerRuntime,
  exec: RuntimeExec,
  options: RuntimeExecOptions,
): Promise<ProcessResult | undefined> {
  const { env, folder, stdin, timeoutMs, take, hurried } = options;
  // As podman would refuse it.
  podmanEnvironment(env, exec.secrets);
  const spec = Buffer.from(JSON.stringify(specOf(runtime, exec, stdin !== undefined)));
  const pipes = await openPipes(folder, exec.id, runtime, spec);
  if (pipes === undefined) return undefined;
  const { out, err, given } = pipes;
  const ends = [
    takeFrom(out.reader, (chunk) => take("stdout", chunk), hurried),
    takeFrom(err.reader, (chunk) => take("stderr", chunk), hurried),
  ];
  const theirs = [out.writer, err.writer, given];
  try {
    const running = runProcess({
      file: runtime.file,
      args: argumentsOf(runtime, exec),
      cwd: "/",
      env: podmanEnvironment(env),
      inherit: theirs,
      stdin,
      timeoutMs,
      maxOutput: MOST_WORDS,
    });
    // It has them by now.
    for (const each of theirs.splice(0)) closeSync(each);
    options.onStarted?.();
    return await running;
  } catch (cause) {
    if (cause instanceof KaiError && cause.code === "E117") return undefined;
    throw cause;
  } finally {
    for (const each of theirs) closeSync(each);
    for (const end of ends) end();
  }
}

/** Whether the runtime said that it began nothing: only then may a command be begun in another way. */
export const refusedToExecute = ({ exitCode, stderr }: ProcessResult): boolean =>
  exitCode === 255 && /^exec failed: /m.test(stderr.toString());

/** Where the runtime has what is inherited: the two streams, handed on to the command, and what it reads itself. */
const [OUT, ERR, GIVEN] = [3, 4, 5];

const argumentsOf = ({ id }: ContainerRuntime, exec: RuntimeExec): string[] => [
  // What it has to say it says on stderr.
  ...["--log", "/dev/null", "exec", "--preserve-fds", "2", "--process", `/proc/self/fd/${GIVEN}`],
  // Beside what is given so it has no effect, and tells whose process this is.
  ...["--env", `${EXEC_MARK}=${exec.id}`, id],
];

/** The runtime would copy what is printed, and wait for whatever the command leaves running: the command gets the pipes themselves. */
function specOf({ process: own }: ContainerRuntime, exec: RuntimeExec, reads: boolean): Record<string, unknown> {
  const streams = `exec${reads ? "" : " </dev/null"} >&${OUT} 2>&${ERR} ${OUT}>&- ${ERR}>&-; `;
  const env = new Map(own.env.map((each): [string, string] => [each.split("=", 1)[0] ?? "", each]));
  const more = { ...exec.env, ...exec.secrets, [EXEC_MARK]: exec.id };
  for (const [key, value] of Object.entries(more)) env.set(key, `${key}=${value}`);
  return {
    ...own,
    terminal: false,
    args: ["/bin/sh", "-c", `${streams}${exec.script}`, "sh", ...exec.command],
    env: [...env.values()],
    ...(exec.workdir === undefined ? {} : { cwd: exec.workdir }),
  };
}

interface Pipes {
  readonly out: Fifo;
  readonly err: Fifo;
  /** What it is given, with values of secrets, which so reach no disk; all of it is written. */
  readonly given: number;
}

const NAMES = ["out", "err", "given"] as const;

/** Where the pipes of an execution have their names for a moment, in its container's own folder. */
export const pipesIn = (folder: string, id: string): string[] => NAMES.map((name) => `${folder}/pipe-${id}-${name}`);

/** Undefined where no pipes can be made there, or `spec` is more than one holds: see pipe(7). */
async function openPipes(
  folder: string,
  id: string,
  { user }: ContainerRuntime,
  spec: Buffer,
): Promise<Pipes | undefined> {
  const files = pipesIn(folder, id);
  const [out = "", err = "", given = ""] = files;
  const opened: number[] = [];
  try {
    await makeFifos(files);
    const streams = [out, err].map((file) => {
      const fifo = openFifo(file);
      opened.push(fifo.reader, fifo.writer);
      // By /dev/stdout and /dev/stderr the command may open them again.
      chownSync(file, user.uid, user.gid);
      return fifo;
    });
    const whole = openWholeFifo(given);
    opened.push(whole);
    if (writeSync(whole, spec) !== spec.length) throw new Error("it does not fit");
    return { out: streams[0] as Fifo, err: streams[1] as Fifo, given: whole };
  } catch {
    for (const each of opened) closeSync(each);
    return undefined;
  } finally {
    removeFifos(files);
  }
}
