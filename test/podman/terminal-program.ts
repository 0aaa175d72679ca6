import { execAtTerminal } from "../../src/podman/exec-at-terminal.js";

// `terminal-program.mjs NAME IDENTITY PROGRAM ARGUMENT…`; SIGTERM is the abort.
const [name = "", identity = "", program = "", ...args] = process.argv.slice(2);
const stop = new AbortController();
process.on("SIGTERM", () => stop.abort(new Error("stopped")));
process.exitCode = await execAtTerminal(
  { name, process: identity },
  { id: "terminal", command: [program, ...args] },
  { env: process.env, signal: stop.signal },
).then(
  ({ exitCode }) => exitCode,
  (cause: Error) => {
    process.stderr.write(`${cause.message}\n`);
    return 99;
  },
);
