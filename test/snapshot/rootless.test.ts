import { execFileSync } from "node:child_process";
import { cpSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { strangerIn } from "../support/stranger.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

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

/** Runs the program as somebody else, shown where that user can reach it. */
function asStranger(agent: Agent, args: readonly string[]) {
  const base = path.dirname(agent.dir);
  const program = path.join(base, "program");
  for (const name of ["bin", "dist", "docs", "package.json"]) {
    cpSync(path.join(ROOT, name), path.join(program, name), { recursive: true });
  }
  const { command, env } = strangerIn(base, agent.env["HOME"] ?? "");
  const [file, ...rest] = command(path.join(program, "bin", "git-kai-version"), ...args);
  return agent.run(file, rest, env);
}
