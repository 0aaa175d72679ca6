import { execFile, execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { expect, onTestFinished, test } from "vitest";
import { scratch } from "../../support/scratch.js";
import { EXPECTED, summaryOf } from "./expected.js";

/** A user whom nobody knows, and where their subordinate ids begin; not those of the other test that needs one. */
const STRANGER = 54_322;
const SUBORDINATE = 600_000;

test("rootless, an agent reaches the one host that is allowed and nothing else either", async () => {
  const { dir, env } = scratch();
  const base = path.dirname(dir);
  const program = path.join(base, "program");
  await build({
    entryPoints: [path.join(import.meta.dirname, "rootless-agent.ts")],
    outfile: path.join(program, "agent.mjs"),
    ...{ bundle: true, platform: "node", format: "esm", target: "node20.19", logLevel: "error" },
  });
  cpSync(path.join(import.meta.dirname, "attempts.py"), path.join(program, "attempts.py"));
  const started = [path.join(program, "agent.mjs"), path.join(base, "cache"), dir];
  const { stdout } = await (process.getuid?.() === 0
    ? asStranger(base, env, started)
    : promisify(execFile)(process.execPath, started, { env }));
  const tried = JSON.parse(stdout);
  expect(tried.seen).toEqual(EXPECTED.seen);
  expect(summaryOf(tried)).toEqual(EXPECTED.summary);
});

/**
 * Runs Node as somebody else, who has subordinate ids for this one run: the files that give them are mounted over the system's own
 * where nobody else sees it, and Node is shown where that user can reach it.
 */
function asStranger(base: string, env: NodeJS.ProcessEnv, args: readonly string[]) {
  const [runtime, node] = [path.join(base, "run"), path.join(base, "node")];
  mkdirSync(runtime, { mode: 0o700 });
  writeFileSync(node, "");
  const given = `stranger:${SUBORDINATE}:65536\n`;
  const passwd = `${readFileSync("/etc/passwd", "utf8")}stranger:x:${STRANGER}:${STRANGER}::${env["HOME"]}:/bin/sh\n`;
  const shown = Object.entries({ subuid: given, subgid: given, passwd }).map(([name, text]) => {
    writeFileSync(path.join(base, name), text, { mode: 0o644 });
    return `mount --bind '${base}/${name}' /etc/${name}`;
  });
  execFileSync("chown", ["-R", `${STRANGER}:${STRANGER}`, base]);
  onTestFinished(() => {
    // Podman keeps a process for the user, which would go on with these ids.
    const pause = path.join(runtime, "libpod/tmp/pause.pid");
    if (existsSync(pause)) process.kill(Number(readFileSync(pause, "utf8")));
  });
  const script = [
    ...shown,
    `mount --bind '${process.execPath}' '${node}'`,
    `exec setpriv --reuid ${STRANGER} --regid ${STRANGER} --clear-groups "$@"`,
  ].join(" && ");
  const run = promisify(execFile);
  const command = ["--mount", "sh", "-c", script, "sh", node, ...args];
  return run("unshare", command, { env: { ...env, XDG_RUNTIME_DIR: runtime }, maxBuffer: 64 * 1024 * 1024 });
}
