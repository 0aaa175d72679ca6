import { Output } from "./output.js";
import { isTerminal, pourInto, writeTo } from "./standard-output.js";
import { wantsColor } from "./style.js";

/** An Output on this process's own stdout and stderr. */
export function consoleOutput(
  options: { json: boolean; quiet: boolean; color?: boolean },
  env: NodeJS.ProcessEnv,
): Output {
  const terminals = { stdout: isTerminal(1), stderr: isTerminal(2) };
  return new Output({
    json: options.json,
    quiet: options.quiet,
    color: options.color !== false && wantsColor(env, terminals.stdout),
    // A terminal that nobody gave a size says 0.
    columns: (terminals.stdout && process.stdout.columns) || undefined,
    live: terminals.stderr && env["TERM"] !== "dumb",
    terminals,
    stdout: (text) => writeTo("stdout", text),
    stderr: (text) => writeTo("stderr", text),
    pour: pourInto,
  });
}
