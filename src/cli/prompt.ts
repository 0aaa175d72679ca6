import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

/** Asks on stderr; what is typed is not shown. */
export async function askSecret(question: string): Promise<string> {
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await terminal.question("");
  } finally {
    terminal.close();
    process.stderr.write("\n");
  }
}

/** Offers a numbered choice on stderr; undefined where none is taken. */
export async function choose(question: string, options: readonly string[]): Promise<string | undefined> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const list = options.map((option, index) => `  ${index + 1}  ${option}`).join("\n");
    const answer = (await terminal.question(`${question}\n${list}\nNumber, or Enter for none: `)).trim();
    return /^[1-9]\d*$/.test(answer) ? options[Number(answer) - 1] : undefined;
  } finally {
    terminal.close();
  }
}
