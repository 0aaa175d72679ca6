import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { leftovers } from "../operation/observe.js";
import { type Agent, agentWithVersions } from "../support/agent.js";

const rootOf = (agent: Agent): string => path.join(path.dirname(agent.dir), "deployed");

const deploy = (agent: Agent, version: string, to = "../deployed") =>
  agent.kai("deploy", version, "--to", to, "--json");

const codeOf = async (agent: Agent, to: string): Promise<string | undefined> =>
  (await deploy(agent, "1.0.0", to)).json().error?.code;

/** What a deployment's folders and their own agent made read-only. */
function open(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) open(path.join(folder, entry.name));
  }
}

test("a folder of git's own, or one that git would commit, is none to deploy to", async () => {
  const agent = await agentWithVersions("1.0.0");
  for (const to of [".git", ".git/kai/staging", ".", "out"])
    expect([to, await codeOf(agent, to)]).toEqual([to, "E125"]);
  expect((await agent.kai("deploy", "1.0.0", "--to", ".", "--dry-run")).stderr).toContain(
    "Hint: Deploy to a folder outside.\n",
  );
  expect(String(await agent.kai("deploy", "1.0.0", "--to", "out", "--dry-run"))).toContain(
    "put `/out/` into .gitignore",
  );
  expect([agent.git("status", "--porcelain"), leftovers(agent)]).toEqual(["", []]);
  agent.write(".gitignore", `${readFileSync(path.join(agent.dir, ".gitignore"), "utf8")}/out/\n`);
  agent.commit("chore: ignore what is deployed");
  expect((await deploy(agent, "1.0.0", "out")).exit).toBe(0);
  expect((await agent.kai("create", "--allow-unchanged")).exit).toBe(0);
  expect(agent.git("ls-files", "out")).toBe("");
});

test("what is in the way under our names is left alone, and nothing is written", async () => {
  const agent = await agentWithVersions("1.0.0");
  const at = (name: string) => path.join(path.dirname(agent.dir), name);
  writeFileSync(at("a file"), "");
  expect(await codeOf(agent, "../a file")).toBe("E118");
  expect(await codeOf(agent, "../a file/below")).toBe("E118");
  symlinkSync("nowhere", at("dangling"));
  expect(await codeOf(agent, "../dangling")).toBe("E118");
  // There Node's own making of folders never ends.
  expect(await codeOf(agent, "/proc/kai/deployed")).toBe("E118");
  for (const [name, make] of [
    ["versions", (file: string) => writeFileSync(file, "")],
    ["rollback.log", (file: string) => mkdirSync(file)],
    ["rollback.log", (file: string) => symlinkSync(at("a file"), file)],
    ["current", (file: string) => mkdirSync(file)],
    ["current", (file: string) => writeFileSync(file, "")],
  ] as const) {
    rmSync(at("root"), { recursive: true, force: true });
    mkdirSync(at("root"));
    make(path.join(at("root"), name));
    expect([name, await codeOf(agent, "../root")]).toEqual([name, "E125"]);
    expect(readdirSync(at("root"))).toEqual([name]);
  }
  expect(leftovers(agent)).toEqual([]);
});

test("a link to the root is resolved, so that the folder has one name", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  mkdirSync(rootOf(agent));
  symlinkSync("deployed", path.join(path.dirname(agent.dir), "link"));
  expect((await deploy(agent, "1.0.0", "../link")).json().path).toBe(path.join(rootOf(agent), "versions/v1.0.0"));
  expect((await deploy(agent, "1.1.0")).json()).toMatchObject({ previous: "1.0.0" });
});

test("a folder within a deployment is none to deploy to: the version there stays as it is", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  expect((await deploy(agent, "1.0.0")).exit).toBe(0);
  symlinkSync("deployed/versions", path.join(path.dirname(agent.dir), "link"));
  const within = ["current", "current/below/it", "versions", "versions/v1.1.0", "versions/other"];
  for (const to of [...within.map((name) => `../deployed/${name}`), "../link"]) {
    const refused = (await agent.kai("deploy", "1.1.0", "--to", to, "--dry-run", "--json")).json().error;
    expect([to, refused?.code, (await deploy(agent, "1.1.0", to)).json().error?.code]).toEqual([to, "E125", "E125"]);
    expect(refused.message).toContain(`of the deployment at ${rootOf(agent)}.`);
  }
  expect(readdirSync(path.join(rootOf(agent), "versions"))).toEqual(["v1.0.0"]);
  expect((await deploy(agent, "1.1.0")).json()).toMatchObject({ previous: "1.0.0" });
  expect((await deploy(agent, "1.1.0", "../deployed/beside")).exit).toBe(0);
  // One of that name where no version is deployed is a folder like any other.
  expect((await deploy(agent, "1.1.0", "../elsewhere/versions")).exit).toBe(0);
});

test("another agent's deployments are neither switched nor pruned", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0", "1.3.0");
  const other = await agentWithVersions("7.0.0");
  other.write("kai.yaml", "agent_id: ai.example.other\n");
  for (const ref of ["refs/kai/log", "refs/notes/kai"]) other.git("update-ref", "-d", ref);
  rmSync(path.join(other.dir, ".git/kai"), { recursive: true });
  other.commit("chore: be another one");
  expect((await other.kai("init", "--yes", "--new-root")).exit).toBe(0);
  expect((await other.kai("create", "--as", "8.0.0", "--allow-unchanged")).exit).toBe(0);
  expect((await deploy(other, "8.0.0", rootOf(agent))).exit).toBe(0);
  const refused = (await deploy(agent, "1.0.0")).json().error;
  expect(refused).toMatchObject({ code: "E125", message: expect.stringContaining("ai.example.other") });
  renameSync(path.join(rootOf(agent), "current"), path.join(rootOf(agent), "theirs"));
  agent.write("kai.yaml", "agent_id: ai.example.clerk\ndeploy: {keep: 1}\n");
  for (const version of ["1.0.0", "1.1.0", "1.2.0"]) expect((await deploy(agent, version)).exit).toBe(0);
  expect(readdirSync(path.join(rootOf(agent), "versions")).sort()).toEqual(["v1.1.0", "v1.2.0", "v8.0.0"]);
});

test("deployments of one agent at once follow each other; those of two clones do not mix", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0");
  const wanted = ["1.0.0", "1.1.0", "1.2.0", "1.1.0"];
  const ran = await Promise.all(wanted.map((version) => deploy(agent, version)));
  expect(ran.map(({ exit }) => exit)).toEqual([0, 0, 0, 0]);
  const told = readFileSync(path.join(rootOf(agent), "rollback.log"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  for (const [index, { from }] of told.entries()) expect(from).toBe(told[index - 1]?.to ?? null);
  expect(readlinkSync(path.join(rootOf(agent), "current"))).toBe(`versions/v${told.at(-1)?.to}`);
  const mirror = path.join(path.dirname(agent.dir), "mirror.git");
  agent.git("clone", "--quiet", "--mirror", agent.dir, mirror);
  expect((await agent.kai("-C", mirror, "init", "--yes")).exit).toBe(0);
  const both = await Promise.all([
    deploy(agent, "1.0.0"),
    agent.kai("-C", mirror, "deploy", "1.2.0", "--to", rootOf(agent), "--json"),
  ]);
  expect(both.map(({ exit }) => exit)).toEqual([0, 0]);
  expect(["versions/v1.0.0", "versions/v1.2.0"]).toContain(readlinkSync(path.join(rootOf(agent), "current")));
  expect((await agent.kai("deploy", "1.1.0", "--to", rootOf(agent))).exit).toBe(0);
  expect(leftovers(agent)).toEqual([]);
});

test("two versions of the same content have a folder each", async () => {
  const agent = await agentWithVersions("1.0.0");
  expect((await agent.kai("create", "--as", "1.0.1", "--allow-unchanged")).exit).toBe(0);
  for (const version of ["1.0.0", "1.0.1", "1.0.0"]) expect((await deploy(agent, version)).exit).toBe(0);
  const meta = (version: string) =>
    JSON.parse(readFileSync(path.join(rootOf(agent), `versions/v${version}/snapshot_meta.json`), "utf8")).version;
  expect([meta("1.0.0"), meta("1.0.1")]).toEqual(["1.0.0", "1.0.1"]);
});

test("a link to nowhere, to elsewhere, and a root that was removed: deploying puts it right", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const [root, current] = [rootOf(agent), path.join(rootOf(agent), "current")];
  for (const text of ["versions/v9.9.9", "versions/v1.0.0", "../clerk", "/nonexistent"]) {
    rmSync(current, { force: true });
    mkdirSync(root, { recursive: true });
    symlinkSync(text, current);
    const deployed = await deploy(agent, "1.1.0");
    expect([text, deployed.exit, readlinkSync(current)]).toEqual([text, 0, "versions/v1.1.0"]);
  }
  open(root);
  rmSync(root, { recursive: true });
  expect((await deploy(agent, "1.1.0")).json()).toMatchObject({ previous: null, written: true });
  expect(existsSync(path.join(current, "logic.py"))).toBe(true);
});
