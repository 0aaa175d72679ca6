import { isatty } from "node:tty";
import { writeToStderr } from "./closed-pipe.js";
import { Output } from "./output.js";
import { wantsColor } from "./style.js";

/** An Output on this process's own stdout and stderr. */
export function consoleOutput(
  options: { json: boolean; quiet: boolean; color?: boolean },
  env: NodeJS.ProcessEnv,
): Output {
  return new Output({
    json: options.json,
    quiet: options.quiet,
    color: options.color !== false && wantsColor(env, isatty(1)),
    // A terminal that nobody gave a size says 0.
    columns: (isatty(1) && process.stdout.columns) || undefined,
    // Not of the streams, which a short command makes for nothing.
    live: isatty(2) && env["TERM"] !== "dumb",
    terminals: { stdout: isatty(1), stderr: isatty(2) },
    stdout: (text) => process.stdout.write(text),
    stderr: writeToStderr,
  });
}
