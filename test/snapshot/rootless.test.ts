import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { type Agent, agentWithVersions } from "../support/agent.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** A user whom nobody knows. */
const STRANGER = 54_321;
/** Where their subordinate ids begin. */
const SUBORDINATE = 500_000;

test("an ordinary user tests a version with rootless Podman, and sees what is not enforced", async () => {
  const agent = await agentWithVersions("1.0.0");
  const base = path.dirname(agent.dir);
  agent.write("kai.yaml", `agent_id: ai.example.clerk\nsnapshot_isolation: {temp_dir: ${base}/snapshots}\n`);
  agent.commit("chore: snapshots of its own");
  await agent.kai("create", "--as", "1.1.0");
  const command = ["snapshot", "test", "1.1.0", "--json", "--", "sh", "-c", "id -u; cat logic.py; echo new > new.txt"];
  const ran = await (process.getuid?.() === 0 ? asStranger(agent, command) : agent.kai(...command));
  expect(ran.stderr.replace(/^Warning: .*\n/gm, "")).toBe("");
  const { passed, tests } = ran.json();
  expect(passed).toBe(true);
  expect(tests).toMatchObject([
    {
      stdout: '1000\nprint("answer of 1.0.0")\n',
      exitCode: 0,
      unenforced: expect.arrayContaining(["storage"]),
      artifacts: [{ path: "new.txt", change: "added" }],
    },
  ]);
  expect(execFileSync("ls", [path.join(base, "snapshots")], { encoding: "utf8" })).toBe("");
});

/**
 * Runs the program as somebody else, who has subordinate ids for this one run: the files that give them are mounted over the
 * system's own where nobody else sees it. The program and Node are shown where that user can reach them.
 */
function asStranger(agent: Agent, args: readonly string[]) {
  const base = path.dirname(agent.dir);
  const [runtime, node, program] = ["run", "node", "program"].map((name) => path.join(base, name)) as [
    string,
    string,
    string,
  ];
  for (const name of ["bin", "dist", "docs", "package.json"]) {
    cpSync(path.join(ROOT, name), path.join(program, name), { recursive: true });
  }
  mkdirSync(runtime, { mode: 0o700 });
  writeFileSync(node, "");
  const given = { subuid: `stranger:${SUBORDINATE}:65536\n`, subgid: `stranger:${SUBORDINATE}:65536\n` };
  const passwd = `${readFileSync("/etc/passwd", "utf8")}stranger:x:${STRANGER}:${STRANGER}::${agent.env["HOME"]}:/bin/sh\n`;
  const shown = Object.entries({ ...given, passwd }).map(([name, text]) => {
    writeFileSync(path.join(base, name), text, { mode: 0o644 });
    return `mount --bind '${base}/${name}' /etc/${name}`;
  });
  execFileSync("chown", ["-R", `${STRANGER}:${STRANGER}`, base]);
  onTestFinished(() => {
    // Podman keeps a process for the user, which would go on with these ids.
    const pause = path.join(runtime, "libpod/tmp/pause.pid");
    if (existsSync(pause)) process.kill(Number(readFileSync(pause, "utf8")));
    rmSync(base, { recursive: true, force: true });
  });
  const script = [
    ...shown,
    `mount --bind '${process.execPath}' '${node}'`,
    `exec setpriv --reuid ${STRANGER} --regid ${STRANGER} --clear-groups "$@"`,
  ].join(" && ");
  const started = [node, path.join(program, "bin", "git-kai-version"), ...args];
  return agent.run("unshare", ["--mount", "sh", "-c", script, "sh", ...started], { XDG_RUNTIME_DIR: runtime });
}
