import { KaiError } from "../error.js";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs `work` so that Ctrl-C and its kin abort it instead of killing the process, for work that has to clean up behind
 * itself. When it has, the process ends by that very signal, as a shell expects.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    received ??= signal;
    controller.abort(new KaiError("E124", `Interrupted by ${signal}.`));
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop);
    if (received) process.kill(process.pid, received);
  }
}
