import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { KaiError } from "../error.js";
import { oneLine, printable } from "./style.js";

/** Asks on stderr; what is typed is not shown. E122 where the answer is refused by Ctrl-D. */
export async function askSecret(question: string): Promise<string> {
  const answer = await answerTo(printable(question), { echo: false });
  process.stderr.write("\n");
  if (answer === undefined) throw new KaiError("E122", "No passphrase was given.");
  return answer;
}

/** Offers a choice on stderr; undefined where none is taken. */
export async function choose(question: string, options: readonly string[]): Promise<string | undefined> {
  const answer = (await answerTo(formatChoice(question, options), { echo: true }))?.trim();
  if (answer === undefined) process.stderr.write("\n");
  return options.find((option, index) => answer === option || answer === String(index + 1));
}

/** The question and its options, numbered from 1, one a line. */
export const formatChoice = (question: string, options: readonly string[]): string =>
  [printable(question), ...options.map((option, index) => `  ${index + 1}  ${oneLine(option)}`), ""].join("\n") +
  "Number, or Enter for none: ";

/** What is typed; undefined for Ctrl-D. Ctrl-C ends the process as it does while nobody is asked. */
async function answerTo(question: string, { echo }: { echo: boolean }): Promise<string | undefined> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const output = echo ? process.stderr : silent;
  const terminal = createInterface({ input: process.stdin, output, terminal: true });
  // Not before the terminal has stopped to echo what is typed.
  if (!echo) process.stderr.write(question);
  let interrupted = false;
  terminal.once("SIGINT", () => {
    interrupted = true;
    terminal.close();
  });
  try {
    return await Promise.race([
      terminal.question(question),
      new Promise<undefined>((resolve) => terminal.once("close", () => resolve(undefined))),
    ]);
  } finally {
    terminal.close();
    if (interrupted) {
      process.stderr.write("\n");
      process.kill(process.pid, "SIGINT");
    }
  }
}
