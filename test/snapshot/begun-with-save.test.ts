import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

const refOf = (id: string) => `refs/kai/snapshots/${id}`;

/** What is left of a snapshot of a version in which that was done. */
async function saved(agent: SnapshotAgent, script: string, of = "1.1.0"): Promise<{ id: string; commit: string }> {
  const { id } = await agent.made("create", of);
  await agent.made("exec", id, "--", "sh", "-ec", script);
  const { commit } = await agent.made("save", id);
  await agent.made("destroy", id);
  return { id, commit };
}

/** Writes a kai.yaml in the sandbox, the agent's own but for its `snapshot_isolation`. */
function rewrite(agent: SnapshotAgent, isolation: object): string {
  const config = JSON.parse(agent.git("show", "v1.1.0:kai.yaml"));
  const settings = { ...config.snapshot_isolation, ...isolation };
  return `cat > kai.yaml <<'END'\n${JSON.stringify({ ...config, snapshot_isolation: settings })}\nEND\n`;
}

const HOST = "93.184.216.34";
const ASK = `import urllib.request as u
try: u.urlopen("http://${HOST}/", timeout=5)
except Exception: pass`;

const GREEDY = {
  network: { mode: "isolated", allowed_hosts: [HOST] },
  resource_limits: { storage: "32Mi", memory: "256Mi", pids: 7 },
  commit_changes: true,
  secrets: { HOME_KEY: "file:/dev/null" },
  security: { capabilities: ["SYS_ADMIN"] },
  cleanup_after: "1h",
  tests: [{ name: "mine", run: "true" }],
};

test("of a snapshot that begins with a save the version decides, however the save is named, and not what the sandbox wrote", async () => {
  const tests = [{ name: "own", run: "test -e one.txt" }];
  const agent = await snapshotAgent({ tests }, { "logic.py": "pass\n" });
  const { id: made } = await agent.made("create", "1.1.0");
  const usual = await agent.made("show", made);
  await agent.made("exec", made, "--", "sh", "-ec", `${rewrite(agent, GREEDY)}echo one > one.txt`);
  const older = await agent.made("save", made);
  await agent.made("exec", made, "--", "sh", "-ec", "echo two > two.txt");
  const newer = await agent.made("save", made);
  await agent.made("destroy", made);

  for (const asked of [refOf(made), `kai/snapshots/${made.toLowerCase()}`, newer.commit.slice(0, 12), older.commit]) {
    const begun = await agent.made("create", asked);
    const { isolation, limits, version, tag } = await agent.made("show", begun.id);
    expect({ isolation, limits, version, tag }, asked).toEqual({
      isolation: usual.isolation,
      limits: usual.limits,
      version: "1.1.0",
      tag: "v1.1.0",
    });
    // It has its files nevertheless, and nothing that differs from them.
    const ran = await agent.made(
      "exec",
      begun.id,
      "--",
      "sh",
      "-ec",
      'grep -q SYS_ADMIN kai.yaml; python3 -c "$0"; ls',
      ASK,
    );
    expect(ran).toMatchObject({ exitCode: 0, requests: [], stdout: expect.stringContaining("one.txt") });
    expect(ran.stdout.includes("two.txt")).toBe(asked !== older.commit);
    expect(await agent.made("diff", begun.id)).toMatchObject({ added: [], modified: [], deleted: [] });
    await agent.made("destroy", begun.id);
  }

  const script = 'python3 -c "$0"; echo three > three.txt';
  expect(await agent.made("run", refOf(made), "--", "sh", "-c", script, ASK)).toMatchObject({
    requests: [],
    isolation: { network: "none" },
    branch: null,
    notCommitted: null,
  });
  expect(await agent.made("test", newer.commit)).toMatchObject({
    version: "1.1.0",
    commit: newer.commit,
    passed: true,
    tests: [{ name: "own", isolation: { network: "none" }, branch: null }],
    notes: [expect.stringContaining(`saved of the snapshot ${made}`)],
  });
});

test("a version that commits what runs change commits what one over a save changes, and nothing where it changes nothing", async () => {
  const agent = await snapshotAgent({ commit_changes: true });
  const { id } = await saved(agent, rewrite(agent, { commit_changes: false }));
  expect(await agent.made("run", refOf(id), "--", "true")).toMatchObject({ branch: null, notCommitted: null });
  const ran = (await agent.snapshot("run", refOf(id), "--json", "--", "touch", "new.txt")).json();
  expect(ran).toMatchObject({ branch: null, notCommitted: expect.stringContaining("kai.yaml") });
});

test("a snapshot that begins with a save is given the secrets of the version, and none that the sandbox names", async () => {
  const agent = await snapshotAgent({ secrets: { KEY: "file:../secret" } });
  writeFileSync(path.join(agent.dir, "../secret"), "s3cr3t-of-the-user");
  writeFileSync(path.join(agent.dir, "../other"), "an0ther-of-the-user");
  const { id } = await saved(agent, rewrite(agent, { secrets: { KEY: "file:../other", MORE: "file:../other" } }));
  const show = 'printf "%s %s" "$' + '{#KEY}" "$' + '{#MORE}"';
  const { id: again } = await agent.made("create", refOf(id));
  expect(await agent.made("exec", again, "--", "sh", "-c", show)).toMatchObject({ stdout: "18 0" });
  expect(await agent.made("run", refOf(id), "--", "sh", "-c", show)).toMatchObject({ stdout: "18 0" });
});

test("two steps through a save do not get past --allow-executable", async () => {
  const tests = [{ name: "answers", run: "sh ./check.sh" }];
  const agent = await snapshotAgent({ tests }, { "check.sh": "true\n", "late.sh": "true\n" });
  // The first step lets go of what it changes in the second, and names what it has changed itself.
  const first = `${rewrite(agent, { tests: [{ name: "answers", run: "sh ./late.sh" }] })}echo evil >> late.sh`;
  const second = ["--", "sh", "-ec", "echo evil >> check.sh; echo free > free.txt"];
  const { id: living } = await agent.made("create", "1.1.0");
  await agent.made("exec", living, "--", "sh", "-ec", first);
  await agent.made("save", living);
  const { id: layered } = await agent.made("create", "1.1.0", "--base", living);
  const { id: gone } = await saved(agent, first);
  const { id: begun } = await agent.made("create", refOf(gone));
  const { id: untouched } = await agent.made("create", refOf(gone));

  const executable = [
    { path: "check.sh", reason: "the test answers runs it" },
    { path: "kai.yaml", reason: "it changes snapshot_isolation" },
    { path: "late.sh", reason: "the test answers runs it" },
  ];
  for (const id of [layered, begun]) {
    await agent.made("exec", id, ...second);
    for (const options of [[], ["--apply"], ["--version"]]) {
      const refused = await agent.refused("commit", id, ...options);
      expect(refused).toMatchObject({ code: "E128", executable });
      const [, from = "", to = ""] = /`git diff (\S+) (\S+)` what it began with/.exec(refused.hint) ?? [];
      expect(agent.git("diff", "--name-only", from, to)).toBe("kai.yaml\nlate.sh");
    }
    expect(await agent.refused("commit", id, "--version", "--allow-executable")).toMatchObject({ code: "E128" });
    const { branch, ...done } = await agent.made("commit", id, "--allow-executable");
    expect(done.executable).toEqual(executable);
    expect(agent.git("rev-parse", `${branch}^`)).toBe(agent.git("rev-parse", "v1.1.0^{commit}"));
    expect(agent.git("diff", "--name-only", "v1.1.0", branch)).toBe("check.sh\nfree.txt\nkai.yaml\nlate.sh");
  }
  expect(await agent.refused("commit", untouched)).toMatchObject({ code: "E128", executable: executable.slice(1) });
});

test("a save of a commit that is no version is tried by that commit's kai.yaml", async () => {
  const agent = await snapshotAgent();
  agent.write("other.txt", "nobody has signed for this\n");
  agent.commit("feat: another");
  const { id } = await saved(agent, rewrite(agent, GREEDY), "HEAD");
  const head = agent.git("rev-parse", "HEAD");
  expect(await agent.made("create", refOf(id))).toMatchObject({
    version: head.slice(0, 10),
    isolation: { network: "none" },
  });
});

test("where the version of a save is not here, and where a commit only says that it is one, nothing is begun", async () => {
  const agent = await snapshotAgent();
  const { id, commit } = await saved(agent, "echo new > new.txt");
  expect(await agent.refused("create", refOf(id), "--base", id)).toMatchObject({ code: "E122" });

  const tag = agent.git("rev-parse", "refs/tags/v1.1.0");
  const begin = () => agent.refused("create", refOf(id));
  for (const other of [
    ["-d", "v1.1.0"],
    ["-f", "v1.1.0", "v1.0.0^{commit}"],
  ]) {
    agent.git("tag", ...other);
    const { code, message, hint } = await begin();
    expect([code, message]).toEqual(["E125", expect.stringContaining(`${refOf(id)} is a save of v1.1.0 at `)]);
    expect(hint).toContain("`git fetch origin tag v1.1.0`");
  }
  agent.git("update-ref", "refs/tags/v1.1.0", tag);

  // By its message alone anybody's commit would have the version's secrets.
  const foreign = agent.git(
    "commit-tree",
    "HEAD^{tree}",
    "-p",
    "HEAD",
    "-m",
    agent.git("log", "-1", "--format=%B", commit),
  );
  expect(await agent.refused("run", foreign, "--", "true")).toMatchObject({
    code: "E125",
    hint: expect.stringContaining(`snapshot create ${refOf(id)}`),
  });

  const { stdout } = await agent.snapshot("destroy", id, "--saves");
  expect(await agent.refused("create", commit)).toMatchObject({
    code: "E125",
    hint: expect.stringContaining(`\`git update-ref ${refOf(id)} ${commit} ""\``),
  });
  const [, back = ""] = /`git (update-ref [^`]+)` brings it back/.exec(stdout) ?? [];
  agent.git(...back.split(" "));
  const begun = await agent.made("create", refOf(id));
  expect(await agent.made("exec", begun.id, "--", "cat", "new.txt")).toMatchObject({ stdout: "new\n" });
});

test("what a scenario takes over saved files is no result of the version", async () => {
  const agent = await snapshotAgent({
    tests: [{ name: "speed", run: "true", expect: { worse_than_before: "99999%" } }],
  });
  const { id } = await agent.made("create", "1.1.0");
  await agent.made("exec", id, "--", "touch", "new.txt");
  await agent.made("save", id);
  expect(await agent.made("test", refOf(id))).toMatchObject({ passed: true });
  const alone = expect.stringContaining("speed");
  expect(await agent.made("test", "HEAD")).toMatchObject({ notes: [alone] });
  await agent.made("test", "1.1.0");
  expect(await agent.made("test", "HEAD")).toMatchObject({ notes: [] });
});
