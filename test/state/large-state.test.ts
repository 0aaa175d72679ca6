import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadAgent } from "../../src/deploy/load-agent.js";
import { ObjectReader } from "../../src/git/object-reader.js";
import { openRepository } from "../../src/git/repository.js";
import { applyState } from "../../src/operation/apply-state.js";
import { openCapture } from "../../src/state/open-capture.js";
import { stageState } from "../../src/state/stage-state.js";
import { placeAt, refused, told } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";

const sql = (file: string, ...words: string[]) =>
  execFileSync("sqlite3", [file, ...words], { encoding: "utf8" }).trim();
const LARGE = Buffer.alloc(17 * 2 ** 20, "large state\n");
const DIGEST = createHash("sha256").update(LARGE).digest("hex");

async function agentWithLargeState() {
  const agent = await agentWithVersions();
  agent.write("state.json", LARGE);
  sql(
    path.join(agent.dir, "memory.sqlite"),
    "create table seen as select randomblob(1000) x from generate_series(1, 18000)",
  );
  expect((await agent.kai("create", "--as", "1.0.0")).exit).toBe(0);
  const store = path.join(agent.dir, ".git/kai/state");
  return { agent, store, stored: path.join(store, DIGEST) };
}

async function restore(agent: Agent) {
  const repository = await openRepository(agent.dir, agent.env);
  const reader = new ObjectReader(repository);
  onTestFinished(() => reader.close());
  const folder = path.join(agent.dir, ".git/kai/staging/test");
  mkdirSync(folder);
  const capture = await openCapture(repository, reader, { ref: "refs/kai/state/v1.0.0", digest: null });
  await stageState({ ...repository, workTree: agent.dir }, capture, folder, { include: [], exclude: [] });
  return applyState({ folder, gitDir: repository.gitDir, workTree: agent.dir }, agent.env, []);
}

test("large state is kept once by its content and outside git, loaded, verified and restored from there", async () => {
  const { agent, store } = await agentWithLargeState();
  expect(readdirSync(store)).toHaveLength(2);
  expect(readdirSync(store)).toContain(DIGEST);
  expect(Number(agent.git("count-objects", "-v").match(/^size: (\d+)$/m)?.[1])).toBeLessThan(1000);
  expect((await agent.kai("create", "--as", "1.1.0", "--allow-unchanged")).exit).toBe(0);
  expect(readdirSync(store)).toHaveLength(2);
  expect(await agent.kai("verify", "--all", "--deep")).toMatchObject({ exit: 0 });
  const { state } = await loadAgent(agent.dir);
  expect((await state?.files[1]?.read())?.equals(LARGE)).toBe(true);
  const memory = path.join(agent.dir, "memory.sqlite");
  const before = sql(memory, "select sum(length(x)), hex(max(x)) from seen");
  sql(memory, "delete from seen");
  agent.write("state.json", "small now\n");
  expect(await restore(agent)).toEqual([]);
  expect(readFileSync(path.join(agent.dir, "state.json")).equals(LARGE)).toBe(true);
  expect(sql(memory, "select sum(length(x)), hex(max(x)) from seen")).toBe(before);
  // What the agent writes from here on is no part of what is kept.
  appendFileSync(path.join(agent.dir, "state.json"), "more");
  expect((await agent.kai("verify", "--deep")).exit).toBe(0);
});

test.each(["missing", "damaged", "a link"])("large state that is %s in the store is found", async (how) => {
  const { agent, stored } = await agentWithLargeState();
  if (how === "damaged") appendFileSync(stored, "x");
  else if (how === "missing") rmSync(stored);
  else {
    renameSync(stored, path.join(agent.dir, "../elsewhere"));
    execFileSync("ln", ["-s", path.join(agent.dir, "../elsewhere"), stored]);
  }
  const verified = await agent.kai("verify", "--deep", "--json");
  expect([verified.exit, verified.json().versions[0].problems[0].code]).toEqual([1, "content-missing"]);
  await expect(loadAgent(agent.dir)).rejects.toMatchObject({ code: "E102", data: { paths: ["state.json"] } });
  await expect(restore(agent)).rejects.toMatchObject({ code: "E102" });
});

/** A clone that has adopted the agent, and the command in a hint that begins so, as its shell runs it with `from` for the original. */
async function cloneOf(agent: Agent) {
  const clone = placeAt(path.join(agent.dir, "../clone"), agent.env);
  execFileSync("git", ["clone", "-q", agent.dir, clone.dir], { env: agent.env });
  await told(clone, "init");
  const runHint = async (hint: string, begin: string) => {
    const command = hint.split("`").find((part) => part.startsWith(begin)) ?? "";
    const here = command.replace("scp ", "cp ").replaceAll(/HOST:FOLDER|REPOSITORY/g, agent.dir);
    expect(await clone.run("sh", ["-c", here])).toMatchObject({ exit: 0, stderr: expect.not.stringContaining("rror") });
  };
  return { clone, runHint };
}

test("on a clone, large state is said to come with no fetch, and what is copied as the hint says is verified and restored", async () => {
  const { agent } = await agentWithLargeState();
  agent.write("logic.py", "print(2)\n");
  agent.commit("feat: more");
  await told(agent, "create", "--as", "1.1.0");
  const { clone, runHint } = await cloneOf(agent);
  const risks = async () => (await told(clone, "rollback", "1.0.0", "--dry-run")).plan.risks;
  const status = async () =>
    (await told(clone, "state", "list")).states.find((each: { tag: string }) => each.tag === "v1.0.0")?.status;
  expect(await status()).toBe("missing");
  const missing = "not on this machine of the state of v1.0.0: memory.sqlite, state.json";
  expect(await risks()).toContainEqual({
    kind: "state_missing",
    severity: "high",
    message: `${missing}; it is refused without \`--keep-state\``,
  });
  const error = await refused(clone, "rollback", "1.0.0");
  expect(error).toMatchObject({
    code: "E102",
    message: expect.stringContaining("memory.sqlite, state.json are not in this clone's store of large files"),
  });
  expect(error.hint).toContain("Files above 16 MiB come with no fetch");
  await runHint(error.hint, "mkdir");
  expect(await risks()).not.toContainEqual(expect.objectContaining({ kind: "state_missing" }));
  const copied = path.join(clone.dir, ".git/kai/state", DIGEST);
  appendFileSync(copied, "x");
  const damaged = await refused(clone, "rollback", "1.0.0");
  expect(damaged).toMatchObject({ code: "E102", message: expect.stringContaining("state.json is not the file") });
  await runHint(damaged.hint, "mkdir");
  await told(clone, "rollback", "1.0.0");
  expect(readFileSync(path.join(clone.dir, "state.json")).equals(LARGE)).toBe(true);
  expect(sql(path.join(clone.dir, "memory.sqlite"), "select count(*) from seen")).toBe("18000");
});

test("without the large state a clone goes back with --keep-state, as the hint says", async () => {
  const { agent } = await agentWithLargeState();
  agent.write("logic.py", "print(2)\n");
  agent.commit("feat: more");
  await told(agent, "create", "--as", "1.1.0");
  const { clone } = await cloneOf(agent);
  expect((await refused(clone, "rollback", "1.0.0")).hint).toContain("`rollback --keep-state`");
  expect(await told(clone, "rollback", "1.0.0", "--keep-state")).toMatchObject({ version: "1.0.0" });
});

test("small state that a clone lacks comes with the fetch of the hint", async () => {
  const agent = await agentWithVersions("1.0.0");
  const { clone, runHint } = await cloneOf(agent);
  clone.git("update-ref", "-d", "refs/kai/state/v1.0.0");
  const error = await loadAgent(clone.dir).catch((cause) => cause);
  expect(error).toMatchObject({ code: "E102" });
  await runHint(error.hint, "git fetch");
  expect((await loadAgent(clone.dir)).state?.files).toHaveLength(1);
});
