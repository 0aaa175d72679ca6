import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { stopContainer } from "../../src/podman/stop-container.js";
import { sharedCache } from "../snapshot/sandbox.js";
import { bundle } from "../support/bundle.js";
import { idleSandbox } from "./sandbox.js";

const cache = sharedCache();
const TERMINAL = fileURLToPath(new URL("terminal.py", import.meta.url));

/** An idle sandbox, and the command that executes something in it at the terminal. */
async function atTerminal() {
  const sandbox = await idleSandbox(cache);
  const program = await bundle(new URL("terminal-program.ts", import.meta.url), sandbox.folder);
  const { name, process: identity } = sandbox.container;
  return { ...sandbox, command: [program, name, identity] };
}

test("a shell has a real terminal: its kind and size, Ctrl-C, every key, its exit status", async () => {
  const { command, env } = await atTerminal();
  const shell = [...command, "/bin/sh", "-c", "echo ready; exec sh -i"];
  const ran = spawnSync("/usr/bin/python3", [TERMINAL, process.execPath, ...shell], {
    env: { ...env, TERM: "xterm-test" },
    encoding: "utf8",
  });
  expect(ran).toMatchObject({ stderr: "", status: 5 });
});

test("without a terminal streams are passed on as they are", async () => {
  const { command, env } = await atTerminal();
  const ran = spawnSync(process.execPath, [...command, "/bin/sh", "-c", "cat; echo seen >&2; exit 7"], {
    env,
    input: "line\r\n\x03",
    encoding: "utf8",
  });
  expect(ran).toMatchObject({ stdout: "line\r\n\x03", stderr: "seen\n", status: 7 });
});

test("after an abort nothing is left of it", async () => {
  const { command, env, sh } = await atTerminal();
  const child = spawn(process.execPath, [...command, "/bin/sh", "-c", "trap '' TERM; echo begun; sleep 1001"], { env });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  child.kill("SIGTERM");
  expect(await new Promise((resolve) => child.once("exit", resolve))).toBe(99);
  const left = await sh("cat /proc/[0-9]*/cmdline | tr '\\0' ' '");
  expect(left.stdout.toString()).not.toContain("sleep 1001");
});

test("a container that does not run is E103", async () => {
  const { command, env, container } = await atTerminal();
  await stopContainer(container.name, 5000, env);
  const ran = spawnSync(process.execPath, [...command, "/bin/sh"], { env, encoding: "utf8" });
  expect(ran.status).toBe(99);
  expect(ran.stderr).toContain(`The sandbox ${container.name} does not run.\n`);
});
