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
    color: options.color !== false && wantsColor(env, process.stdout.isTTY === true),
    columns: process.stdout.isTTY ? process.stdout.columns : undefined,
    live: process.stderr.isTTY === true && env["TERM"] !== "dumb",
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
  });
}
