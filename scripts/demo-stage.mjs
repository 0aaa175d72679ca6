// What a demo is told with: narration, commands as typed with their real output, and the time that each took.
import { spawn } from "node:child_process";

const COLOURS = { bold: "1", dim: "2", green: "32", heading: "1;36" };

export class DemoFailure extends Error {}

/**
 * A stage in the folder `cwd`. Colours only where `out` is a terminal. `run` gives what the command printed, and throws
 * DemoFailure where it ends otherwise than with `status`, or where `shows` is not in what it printed.
 */
export function openStage({ cwd, env, out }) {
  const coloured = out.isTTY && !env.NO_COLOR;
  const paint = (style, text) => (coloured ? `\u001b[${COLOURS[style]}m${text}\u001b[0m` : text);
  const timings = [];

  return {
    timings,
    title: (text) => out.write(`${paint("bold", text)}\n${paint("dim", "=".repeat(text.length))}\n`),
    scene: (text) => out.write(`\n${paint("heading", text)}\n`),
    say: (text) => out.write(`${paint("dim", text)}\n`),

    async run(line, { status = 0, shows } = {}) {
      out.write(`\n${paint("green", "$")} ${paint("bold", line)}\n`);
      const started = performance.now();
      const printed = await runLine(line, { cwd, env, out });
      timings.push({ line, milliseconds: performance.now() - started });
      if (printed.status !== status) {
        throw new DemoFailure(`This ended with status ${printed.status} instead of ${status}:\n  $ ${line}`);
      }
      if (shows !== undefined && !printed.text.includes(shows)) {
        throw new DemoFailure(`This should have shown "${shows}":\n  $ ${line}`);
      }
      return printed.text;
    },

    async pullThePlug(line, when) {
      out.write(`\n${paint("green", "$")} ${paint("bold", line)}\n`);
      const ended = await killWhen(line, when, { cwd, env });
      if (ended !== undefined)
        throw new DemoFailure(`This ended with status ${ended} before it was killed:\n  $ ${line}`);
      out.write("Killed\n");
    },

    summary() {
      out.write(`\n${paint("bold", "How long each command took")}\n`);
      for (const { line, milliseconds } of timings) {
        out.write(`${String(Math.round(milliseconds)).padStart(7)} ms  ${line}\n`);
      }
    },
  };
}

function runLine(line, { cwd, env, out }) {
  return new Promise((resolve, reject) => {
    const child = spawn("/bin/sh", ["-c", line], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const chunks = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        chunks.push(chunk);
        out.write(chunk);
      });
    }
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, text: Buffer.concat(chunks).toString() }));
  });
}

const LOOK_EVERY_MS = 1;

/** Runs a command in a process group of its own and kills all of it as soon as `when` holds; gives its status if it ended before. */
function killWhen(line, when, { cwd, env }) {
  return new Promise((resolve, reject) => {
    const child = spawn("/bin/sh", ["-c", `exec ${line}`], { cwd, env, stdio: "ignore", detached: true });
    const looking = setInterval(() => {
      if (child.pid === undefined || child.exitCode !== null || !when()) return;
      clearInterval(looking);
      process.kill(-child.pid, "SIGKILL");
    }, LOOK_EVERY_MS);
    child.on("error", (cause) => {
      clearInterval(looking);
      reject(cause);
    });
    child.on("exit", (status, signal) => {
      clearInterval(looking);
      resolve(signal === "SIGKILL" ? undefined : status);
    });
  });
}
