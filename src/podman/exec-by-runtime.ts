import { closeSync, writeSync } from "node:fs";
import type { Readable } from "node:stream";
import { type Fifo, makeFifos, takeFrom } from "../system/fifo.js";
import { type ProcessResult, runProcess } from "../system/process.js";
import { EXEC_MARK } from "./end-exec.js";
import type { ExecRequest } from "./plan-exec.js";
import { podmanEnvironment } from "./podman.js";
import type { ContainerRuntime } from "./runtime-of.js";

/** A request, and what the container's shell does with the words of its command. */
export type RuntimeExec = ExecRequest & { readonly script: string };

export interface RuntimeExecOptions {
  readonly env: NodeJS.ProcessEnv;
  /** A folder of the container's own; undefined: there is none. */
  readonly folder?: string | undefined;
  readonly stdin?: Readable | undefined;
  readonly timeoutMs: number;
  /** Takes what the command prints as it comes. */
  readonly take: (stream: "stdout" | "stderr", chunk: Buffer) => void;
  readonly onStarted?: (() => void) | undefined;
}

/** What a pipe holds at least, see pipe(7): so much can be written before anybody reads. */
const PIPE_BYTES = 64 * 1024;

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
  const { env, folder, stdin, timeoutMs, take } = options;
  const spec = Buffer.from(JSON.stringify(specOf(runtime, exec, stdin !== undefined)));
  // As podman would refuse it.
  podmanEnvironment(env, exec.secrets);
  const pipes =
    folder === undefined || spec.length > PIPE_BYTES ? undefined : await openPipes(folder, exec.id, runtime);
  if (pipes === undefined) return undefined;
  const { out, err, given } = pipes;
  const ends = [
    takeFrom(out.reader, (chunk) => take("stdout", chunk)),
    takeFrom(err.reader, (chunk) => take("stderr", chunk)),
  ];
  const theirs = [out.writer, err.writer, given.reader];
  try {
    writeSync(given.writer, spec);
    const running = runProcess({
      file: runtime.file,
      args: argumentsOf(runtime, exec),
      cwd: "/",
      env: podmanEnvironment(env),
      inherit: theirs,
      stdin,
      timeoutMs,
    });
    // It has them by now.
    for (const each of theirs.splice(0)) closeSync(each);
    options.onStarted?.();
    return await running;
  } finally {
    // Open until here: the runtime opens what it is given once more, which waits for a writer.
    for (const each of [...theirs, given.writer]) closeSync(each);
    for (const end of ends) end();
  }
}

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
  /** What it is given, with values of secrets: it reaches no disk. */
  readonly given: Fifo;
}

/** Undefined where no pipes can be made there. */
async function openPipes(folder: string, id: string, { user }: ContainerRuntime): Promise<Pipes | undefined> {
  const names = ["out", "err", "given"].map((name) => `pipe-${id}-${name}`);
  const [out, err, given] = await makeFifos(folder, names, user).catch(() => []);
  return out && err && given && { out, err, given };
}
