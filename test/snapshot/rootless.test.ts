import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { strangerIn } from "../support/stranger.js";
import { baseFolder } from "./base-image.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PROGRAM = path.join(ROOT, "bin", "git-kai-version");

test("an ordinary user tests a version with rootless Podman, and sees what is not enforced", async () => {
  const agent = await agentWithVersions("1.0.0");
  const base = path.dirname(agent.dir);
  agent.write("kai.yaml", `agent_id: ai.example.clerk\nsnapshot_isolation: {temp_dir: ${base}/snapshots}\n`);
  agent.commit("chore: snapshots of its own");
  await agent.kai("create", "--as", "1.1.0");
  const command = ["snapshot", "test", "1.1.0", "--json", "--", "sh", "-c", "id -u; cat logic.py; echo new > new.txt"];
  const ran = await (process.getuid?.() === 0 ? asStranger(agent, command) : agent.kai(...command));
  expect(ran.stderr).toMatch(/^Warning: Not enforced here: .*\bstorage\b.*\n$/);
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

test("an ordinary user's version runs in an image that is built from it, once", async () => {
  const agent = await agentWithVersions("1.0.0");
  const base = path.dirname(agent.dir);
  const settings = { temp_dir: path.join(base, "snapshots"), base_images: { python: "localhost/base:1" } };
  agent.write("kai.yaml", JSON.stringify({ agent_id: "ai.example.clerk", snapshot_isolation: settings }));
  agent.write("requirements.txt", "left-pad==1.0\n");
  agent.commit("feat: requirements");
  await agent.kai("create", "--as", "1.1.0");
  const root = path.join(base, "root");
  mkdirSync(root);
  const wget = "wget -q -O /etc/page http://denied.example/ || true";
  baseFolder(root, { pip: `echo "$@" > /etc/asked; id -u >> /etc/asked; date >> /etc/asked; ${wget}` });
  execFileSync("tar", ["-C", root, "-cf", path.join(base, "root.tar"), "."]);
  const { kai, node } = strangers(agent);
  const importing = `require("child_process").execFileSync("podman", ["import", "${base}/root.tar", "localhost/base:1"])`;
  expect((await node("-e", importing)).exit).toBe(0);
  const command = ["snapshot", "run", "1.1.0", "--network", "isolated", "--json", "--", "cat", "/etc/asked"];
  const ran = await kai(...command);
  expect(ran.exit, String(ran)).toBe(0);
  const first = ran.json();
  expect(first.stdout).toMatch(/^install --no-cache-dir --no-input --retries 1 -r requirements\.txt\n0\n/);
  expect((await kai(...command)).json().stdout).toBe(first.stdout);
});

test("an ordinary user's snapshot goes on when its files were read, and so does what runs in it", async () => {
  const agent = await agentWithVersions("1.0.0");
  const base = path.dirname(agent.dir);
  agent.write("kai.yaml", `agent_id: ai.example.clerk\nsnapshot_isolation: {temp_dir: ${base}/snapshots}\n`);
  agent.commit("chore: snapshots of its own");
  await agent.kai("create", "--as", "1.1.0");
  const { kai } = process.getuid?.() === 0 ? strangers(agent) : agent;
  const { id } = (await kai("snapshot", "create", "1.1.0", "--json")).json();
  const exec = (script: string) => kai("snapshot", "exec", id, "--json", "--", "sh", "-c", script);
  // Where its memory is not limited each process is, as in a run.
  const { isolation, limits } = (await kai("snapshot", "show", id, "--json")).json();
  expect(isolation.namespaces).toContain("user");
  const each = isolation.unenforced.includes("memory") ? Math.ceil(limits.memoryBytes / 1024) : "unlimited";
  expect((await exec("ulimit -d")).json()).toMatchObject({ stdout: `${each}\n` });
  expect((await kai("snapshot", "diff", id, "--json")).json()).toMatchObject({ added: [] });
  // Each round is processes of its own.
  await exec("echo 0 > n; (while :; do n=$(cat n); expr $n + 1 > m; mv m n; done) >/dev/null 2>&1 & echo $!");
  const seen = await kai("snapshot", "diff", id, "--json");
  expect(seen.exit, String(seen)).toBe(0);
  expect(seen.json().added).toContain("n");
  const saved = await kai("snapshot", "save", id, "--json");
  expect(saved.exit, String(saved)).toBe(0);
  expect((await exec("a=$(cat n); while [ $(cat n) = $a ]; do :; done; echo on")).json()).toMatchObject({
    stdout: "on\n",
    exitCode: 0,
  });
  expect((await kai("snapshot", "show", id, "--json")).json()).toMatchObject({ status: "ready" });
  await kai("snapshot", "destroy", id);
});

for (const type of ["incremental", "full"]) {
  test(`an ordinary user's ${type} snapshot with what cannot be read is saved and pruned without that, which is told once`, async () => {
    const agent = await agentWithVersions("1.0.0");
    const base = path.dirname(agent.dir);
    agent.write("kai.yaml", `agent_id: ai.example.clerk\nsnapshot_isolation: {temp_dir: ${base}/snapshots}\n`);
    agent.write("box/in.txt", "in\n");
    agent.commit("chore: snapshots of its own");
    await agent.kai("create", "--as", "1.1.0");
    const { kai } = process.getuid?.() === 0 ? strangers(agent) : agent;
    const { id } = (await kai("snapshot", "create", "1.1.0", "--type", type, "--json")).json();
    const script =
      "rm -rf ./*; echo a > open.txt; mkdir box; echo b > shut.txt; echo c > box/in.txt; chmod 0 shut.txt box";
    await kai("snapshot", "exec", id, "--", "sh", "-c", script);
    const deleted = ["kai.yaml", "logic.py", "prompts/system.md", "tools/search.json"];
    const reason = "cannot be read: EACCES";
    const refused = ["box", "box/in.txt", "shut.txt"].map((each) => ({ path: each, reason }));
    expect((await kai("snapshot", "diff", id, "--json")).json()).toMatchObject({
      added: ["open.txt"],
      deleted,
      refused,
    });
    const saved = await kai("snapshot", "save", id, "--json");
    expect(saved.json(), String(saved)).toMatchObject({
      changed: expect.arrayContaining([...deleted, "open.txt"]),
      refused,
    });
    await kai("snapshot", "exec", id, "--", "sh", "-c", "echo more > open.txt");
    const committed = await kai("snapshot", "commit", id, "--allow-executable", "--json");
    expect(committed.json(), String(committed)).toMatchObject({ refused });
    expect((await kai("snapshot", "prune", "--all", "--json")).json()).toMatchObject({ pruned: [{ id }], left: [] });
  });
}

test("an ordinary user's snapshot is refused to root, who is told whose it is and leaves nothing in it", async () => {
  const agent = await agentWithVersions("1.0.0");
  const base = path.dirname(agent.dir);
  agent.write("kai.yaml", `agent_id: ai.example.clerk\nsnapshot_isolation: {temp_dir: ${base}/snapshots}\n`);
  agent.commit("chore: snapshots of its own");
  await agent.kai("create", "--as", "1.1.0");
  const { kai, user } = strangers(agent);
  const { id } = (await kai("snapshot", "create", "1.1.0", "--json")).json();
  await kai("snapshot", "exec", id, "--", "sh", "-c", "echo new > new.txt");
  const kept = path.join(agent.dir, ".git/kai/snapshots", id);
  const file = path.join(kept, "record.json");
  const record = readFileSync(file, "utf8");
  const before = readdirSync(kept, { recursive: true });
  const asRoot = async (...args: string[]) =>
    (await agent.run(process.execPath, [PROGRAM, ...args], { SUDO_UID: String(user) })).json();
  const whose = `The snapshot ${id} is that of another user, whose number is ${user}.`;
  const hint = `Run the command as that user: \`sudo -u '#${user}' git kai-version …\``;
  for (const command of ["diff", "save", "commit", "destroy"]) {
    expect((await asRoot("snapshot", command, id, "--json")).error, command).toMatchObject({
      code: "E125",
      message: whose,
      hint,
    });
  }
  expect((await asRoot("snapshot", "exec", id, "--json", "--", "true")).error.message).toBe(whose);
  writeFileSync(file, JSON.stringify({ ...JSON.parse(record), expiresAt: new Date(0).toISOString() }));
  for (const dry of [["--dry-run"], []]) {
    const { pruned, left } = await asRoot("snapshot", "prune", ...dry, "--json");
    expect({ pruned, left }).toEqual({ pruned: [], left: [{ id, reason: whose, hint }] });
  }
  writeFileSync(file, record);
  expect(readdirSync(kept, { recursive: true })).toEqual(before);
  expect((await kai("snapshot", "exec", id, "--json", "--", "cat", "new.txt")).json()).toMatchObject({
    stdout: "new\n",
  });
  expect((await kai("snapshot", "diff", id, "--json")).json()).toMatchObject({ added: ["new.txt"] });
  expect((await kai("snapshot", "destroy", id)).exit).toBe(0);
});

test("an ordinary user who may not open the device of bridges is told so, and what mends it", async () => {
  const agent = await agentWithVersions("1.0.0");
  const base = path.dirname(agent.dir);
  const { kai } = strangers(agent);
  chownSync(path.join(base, "tun"), 0, 0);
  chmodSync(path.join(base, "tun"), 0o600);
  // Podman finds it out itself where its own network is there already.
  for (const command of [["run"], ["create"]]) {
    const args = ["1.0.0", "--network", "bridge", "--json", ...(command[0] === "run" ? ["--", "true"] : [])];
    const { error } = (await kai("snapshot", ...command, ...args)).json();
    expect(error).toMatchObject({
      code: "E103",
      message: expect.stringContaining("/dev/net/tun"),
      hint: expect.stringContaining("chmod 666 /dev/net/tun"),
    });
  }
});

/** Told from everybody else's. */
const SLEEPS = `1000.${process.pid}`;

test("an ordinary user rehearses a rollback in a container, as that user", async () => {
  const agent = await agentWithVersions("1.0.0");
  const base = path.dirname(agent.dir);
  const looks = {
    name: "looks",
    kind: "functionality",
    run: 'id -u; cat logic.py; echo x > "$HOME/x"; cat ../started',
  };
  const yaml = (version: string) => ({
    agent_id: "ai.example.clerk",
    lifecycle: {
      start: { run: `echo ${version} > ../started; exec sleep ${SLEEPS}` },
      stop: { run: `grep 1.2 ../started; pkill -f "sleep ${SLEEPS}"` },
    },
    snapshot_isolation: { temp_dir: `${base}/snapshots`, tests: [looks] },
  });
  for (const version of ["1.1.0", "1.2.0"]) {
    agent.write("kai.yaml", JSON.stringify(yaml(version)));
    agent.commit(`feat: ${version}`);
    expect((await agent.kai("create", "--as", version)).exit).toBe(0);
  }
  const command = ["rollback", "1.1.0", "--rehearse", "--json"];
  const { kai, user } = process.getuid?.() === 0 ? strangers(agent) : { ...agent, user: process.getuid?.() };
  const rehearsed = (await kai(...command)).json();
  expect(rehearsed).toMatchObject({ ok: true, problem: null, isolation: "container" });
  const outputs = rehearsed.rollback.steps.map(({ type, output }: { type: string; output: string | null }) => [
    type,
    output,
  ]);
  expect(outputs).toContainEqual(["stop_agent", "1.2.0\n"]);
  expect(outputs).toContainEqual(["validate_rollback", `${user}\nprint("answer of 1.0.0")\n1.1.0\n`]);
  expect(execFileSync("ls", [path.join(base, "snapshots")], { encoding: "utf8" })).toBe("");
});

test("an ordinary user rehearses the rollback of what is deployed, and its read-only copy is gone behind it", async () => {
  const agent = await agentWithVersions("1.0.0");
  const base = path.dirname(agent.dir);
  const root = path.join(base, "deployed");
  const start = `test "$KAI_DEPLOYMENT" = '${root}' && ls '${root}/versions' && exec sleep ${SLEEPS}`;
  const yaml = { lifecycle: { start: { run: start } }, snapshot_isolation: { temp_dir: `${base}/snapshots` } };
  for (const version of ["1.1.0", "1.2.0"]) {
    agent.write("kai.yaml", JSON.stringify({ agent_id: "ai.example.clerk", deploy: { root }, ...yaml }));
    agent.write("logic.py", `# ${version}\n`);
    agent.commit(`feat: ${version}`);
    expect((await agent.kai("create", "--as", version)).exit).toBe(0);
  }
  const { kai } = process.getuid?.() === 0 ? strangers(agent) : agent;
  const deployed = await kai("deploy", "1.2.0");
  expect(deployed.exit, String(deployed)).toBe(0);
  const rehearsed = (await kai("rollback", "1.1.0", "--rehearse", "--json")).json();
  expect(rehearsed).toMatchObject({
    ok: true,
    isolation: "container",
    rollback: { plan: { deployment: { root, from: "1.2.0", to: "1.1.0" } } },
  });
  expect(readdirSync(path.join(base, "snapshots"))).toEqual([]);
  expect(readlinkSync(path.join(root, "current"))).toBe("versions/v1.2.0");
  await kai("undo");
});

/** Runs the program as somebody else. */
const asStranger = (agent: Agent, args: readonly string[]) => strangers(agent).kai(...args);

/** Programs of somebody else: this one, shown where that user can reach it, and Node. */
function strangers(agent: Agent) {
  const base = path.dirname(agent.dir);
  const program = path.join(base, "program");
  for (const name of ["bin", "dist", "docs", "package.json"]) {
    cpSync(path.join(ROOT, name), path.join(program, name), { recursive: true });
  }
  const { command, env, user } = strangerIn(base, agent.env["HOME"] ?? "");
  const node = (first: string, ...args: readonly string[]) => {
    const [file, ...rest] = command(first, ...args);
    return agent.run(file, rest, env);
  };
  return {
    node,
    user,
    kai: (...args: readonly string[]) => node(path.join(program, "bin", "git-kai-version"), ...args),
  };
}
