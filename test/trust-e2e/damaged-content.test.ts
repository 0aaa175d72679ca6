import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { disproven, told } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { makeVersion } from "../support/make-version.js";

const objectFile = (agent: Agent, id: string) => path.join(agent.dir, ".git", "objects", id.slice(0, 2), id.slice(2));

function damage(agent: Agent, name: string, how: (file: string, bytes: Buffer) => void): void {
  const file = objectFile(agent, agent.git("rev-parse", name));
  chmodSync(file, 0o644);
  how(file, readFileSync(file));
}

const codes = (versions: { tag: string; problems: { code: string }[] }[]) =>
  versions.map(({ tag, problems }) => [tag, ...problems.map(({ code }) => code)]);

test("one missing file fails the versions that hold it, and the others are verified", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  damage(agent, "v1.0.0:logic.py", (file) => rmSync(file));
  const { versions } = (await agent.kai("verify", "--all", "--deep", "--json")).json();
  expect(codes(versions)).toEqual([["v1.0.0", "content-missing"], ["v1.1.0"]]);
  expect(versions[0].problems[0].message).toBe("Files of v1.0.0 are missing here or damaged: logic.py.");
  damage(agent, "v1.1.0:kai.yaml", (file) => rmSync(file));
  expect(await disproven(agent, "--all", "--deep")).toEqual(["v1.0.0: content-missing", "v1.1.0: content-missing"]);
  expect(await told(agent, "verify", "--all")).toMatchObject({ ok: true });
});

/** An agent with 1.0.0 to 1.3.0, of which 1.1.0 has a folder `only`, and what `name` means in it damaged. */
async function agentDamagedAt(name: string, damaged: (bytes: Buffer) => Buffer): Promise<Agent> {
  const agent = await agentWithVersions("1.0.0");
  agent.write("only/here.txt", "here\n");
  agent.write("state.json", "{}\n");
  await makeVersion(agent, "1.1.0", "feat: a folder");
  agent.remove("only");
  for (const version of ["1.2.0", "1.3.0"]) {
    agent.write("state.json", `{"seen": "${version}"}\n`);
    await makeVersion(agent, version, `feat: ${version}`);
  }
  damage(agent, name, (file, bytes) => writeFileSync(file, damaged(bytes)));
  return agent;
}

const emptied = () => Buffer.alloc(0);
const torn = (bytes: Buffer) => bytes.subarray(0, bytes.length - 12);
const flipped = (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 20), Buffer.alloc(9), bytes.subarray(29)]);

test.each([
  ["a version's tree, emptied", "v1.1.0^{tree}", emptied],
  ["a version's tree, torn", "v1.1.0^{tree}", torn],
  ["a version's tree, flipped", "v1.1.0^{tree}", flipped],
  ["a folder, torn", "v1.1.0:only", torn],
  ["a folder, flipped", "v1.1.0:only", flipped],
])("%s, fails that version alone", async (_, name, how) => {
  const agent = await agentDamagedAt(name, how);
  expect(await disproven(agent, "--all", "--deep")).toEqual(["v1.1.0: commit-missing"]);
  expect(await told(agent, "verify", "1.0.0", "1.3.0", "--deep")).toMatchObject({ ok: true, total: 2 });
});

test("a capture's folder that is damaged fails that version alone", async () => {
  const agent = await agentDamagedAt("refs/kai/state/v1.1.0^{tree}", flipped);
  expect(await disproven(agent, "--all", "--deep")).toEqual(["v1.1.0: state-not-fetched"]);
});

test.each([
  ["emptied", emptied],
  ["torn", (bytes: Buffer) => bytes.subarray(0, 300)],
  [
    "flipped in the middle",
    (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 600), Buffer.alloc(9), bytes.subarray(609)]),
  ],
])("a file's object that was %s", async (_, damaged) => {
  const agent = await agentWithVersions("1.0.0");
  // Long and beyond what compresses, so that git begins to print it before it meets the damage.
  const noise = Array.from({ length: 3000 }, (_, n) => createHash("sha256").update(`${n}`).digest("hex")).join("\n");
  agent.write("noise.txt", noise);
  await makeVersion(agent, "1.1.0", "feat: noise");
  agent.write("noise.txt", "quiet");
  await makeVersion(agent, "1.1.1", "fix: quiet");
  damage(agent, "v1.1.0:noise.txt", (file, bytes) => writeFileSync(file, damaged(bytes)));
  expect(await disproven(agent, "--all", "--deep")).toEqual(["v1.1.0: content-missing"]);
});

test("a folder that names another folder as a file", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const [from, to] = [agent.git("rev-parse", "v1.0.0:prompts/system.md"), agent.git("rev-parse", "v1.0.0:tools")];
  // In place of the tree itself, as somebody who can write there could.
  const tree = agent.git("rev-parse", "v1.0.0:prompts");
  const bytes = execFileSync("git", ["cat-file", "tree", tree], { cwd: agent.dir, env: agent.env });
  const at = bytes.indexOf(Buffer.from(from, "hex"));
  Buffer.from(to, "hex").copy(bytes, at);
  const made = execFileSync("git", ["hash-object", "-w", "-t", "tree", "--stdin", "--literally"], {
    cwd: agent.dir,
    env: agent.env,
    input: bytes,
    encoding: "utf8",
  }).trim();
  const replacement = readFileSync(objectFile(agent, made));
  damage(agent, tree, (file) => writeFileSync(file, replacement));
  expect(await disproven(agent, "--all", "--deep")).toEqual(["v1.0.0: content-missing"]);
});

test("one missing file of a capture", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  damage(agent, "refs/kai/state/v1.0.0:files/0", (file) => rmSync(file));
  expect(await disproven(agent, "--all", "--deep")).toEqual(["v1.0.0: content-missing"]);
});

test("a list of captured files that is none, though a tag names it", async () => {
  const agent = await agentWithVersions("1.0.0");
  const write = (type: string, input: string) =>
    execFileSync("git", ["hash-object", "-w", "-t", type, "--stdin"], {
      cwd: agent.dir,
      env: agent.env,
      input,
      encoding: "utf8",
    }).trim();
  const list = '{"format":"kai-capture/1"}';
  const tree = execFileSync("git", ["mktree"], {
    cwd: agent.dir,
    env: agent.env,
    input: `100644 blob ${write("blob", list)}\tcapture.json\n`,
    encoding: "utf8",
  }).trim();
  agent.git("update-ref", "refs/kai/state/v1.5.0", agent.git("commit-tree", tree, "-m", "state"));
  const digest = createHash("sha256").update(list).digest("hex");
  const text = `${agent.git("cat-file", "tag", "v1.0.0")}\n`
    .replace("tag v1.0.0", "tag v1.5.0")
    .replace(/Kai-State: \S+/, `Kai-State: sha256:${digest}`);
  agent.git("update-ref", "refs/tags/v1.5.0", write("tag", text));
  expect(await disproven(agent, "1.5.0", "--deep")).toContain("v1.5.0: state-differs");
  expect(await told(agent, "compare", "1.0.0", "1.5.0")).toMatchObject({ to: "1.5.0" });
});
