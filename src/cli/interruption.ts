import { KaiError } from "../error.js";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Runs a part so that Ctrl-C and its kin abort it instead of killing the process. */
type Part = <T>(part: (signal: AbortSignal) => Promise<T>) => Promise<T>;

/**
 * Runs `work` so that Ctrl-C and its kin abort it instead of killing the process, for work that has to clean up behind
 * itself. When it has, the process ends by that very signal, as a shell expects.
 */
export const interruptible = <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> =>
  interruptibleInParts((part) => part(work));

/** The same for work of which only parts must not be killed: what is aborted in one is to end all of it. */
export async function interruptibleInParts<T>(work: (part: Part) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    received ??= signal;
    controller.abort(new KaiError("E124", `Interrupted by ${signal}.`));
  };
  const part: Part = async (run) => {
    for (const signal of SIGNALS) process.on(signal, stop);
    try {
      return await run(controller.signal);
    } finally {
      for (const signal of SIGNALS) process.off(signal, stop);
    }
  };
  try {
    return await work(part);
  } finally {
    if (received) process.kill(process.pid, received);
  }
}
