import { rmSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { loadAgent } from "../../src/deploy/load-agent.js";
import { loadDeployment } from "../../src/deploy/load-deployment.js";
import { type Entry, LOG_REF } from "../../src/operation/entry.js";
import type { SmallAgent } from "../deploy/small-agent.js";
import { disproven, refsOf, refused, told } from "../scenarios/place.js";
import { addEntry } from "../trust/hand-made-log.js";
import { agentOfTwo, pin } from "./agent-of-two.js";

const FILES = (version: string) => ({
  "logic.py": `print('${version}')\n`,
  "prompts/system.md": `You are ${version}.\n`,
});

const entryOf = (agent: SmallAgent): Entry => JSON.parse(agent.git("log", "-1", "--format=%b", LOG_REF)) as Entry;

/** Versions 1.0.0, 1.1.0 and 1.2.0 of Ada, each with another logic, prompt and state; Bob is an operator. */
async function threeVersions(config?: string) {
  const two = await agentOfTwo(config);
  const { agent, asBob } = two;
  for (const version of ["1.0.0", "1.1.0", "1.2.0"]) {
    agent.write({ "state.json": `{"seen": "${version}"}\n` });
    agent.commit(`feat: ${version}`, FILES(version));
    await agent.create(version);
  }
  return { ...two, bobs: { dir: agent.dir, env: asBob } };
}

test("an operator puts parts of signed versions together, and everything takes the version for one", async () => {
  const { agent, bob, bobs } = await threeVersions();
  expect(await told(bobs, "rollback", "1.0.0", "--path", "logic.py", "--dry-run")).toMatchObject({
    plan: { mints: "1.2.1", takes: { role: "operator", why: null } },
  });
  const first = await told(bobs, "rollback", "1.0.0", "--path", "logic.py");
  expect(first).toMatchObject({ version: "1.2.1", plan: { takes: { role: "operator" } } });
  const tags = (...names: string[]) => names.map((name) => agent.git("rev-parse", `refs/tags/${name}`));
  expect(entryOf(agent).details["sources"]).toEqual(tags("v1.2.0", "v1.0.0"));
  expect(entryOf(agent).actor.key).toBe(bob.fingerprint);
  expect(await loadAgent(agent.dir)).toMatchObject({ version: "1.2.1", commit: first.commit });
  expect(await told(bobs, "verify", "1.2.1", "--deep")).toMatchObject({ ok: true });

  // On top of it: what it is composed of itself counts, not that an operator signed it.
  const second = await told(bobs, "rollback", "1.1.0", "--component", "prompts", "--component", "state");
  expect(entryOf(agent).details["sources"]).toEqual(tags("v1.2.0", "v1.0.0", "v1.1.0"));
  expect(second).toMatchObject({ version: "1.2.2", plan: { takes: { role: "operator" } } });
  expect((await loadAgent(agent.dir)).state?.files.map((file) => file.path)).toEqual(["state.json"]);
  expect(await told(bobs, "verify", "--all", "--deep")).toMatchObject({ ok: true, total: 5 });

  // State alone makes no version.
  const alone = await told(bobs, "rollback", "1.0.0", "--component", "state");
  expect(alone).toMatchObject({ version: "1.2.2", plan: { mints: null, takes: { role: "operator" } } });
  await told(bobs, "undo");

  // Later operations of either: undone, gone back to, deployed, gone on from.
  await told(bobs, "undo");
  expect(await told(bobs, "rollback", "1.2.1", "--force")).toMatchObject({ version: "1.2.1" });
  const root = path.join(path.dirname(agent.dir), "deployed");
  await told(bobs, "deploy", "1.2.1", "--to", root);
  const keys = [bob.publicKey];
  expect(await loadDeployment(path.join(root, "current"), { keys })).toMatchObject({ signedBy: bob.fingerprint });
  agent.commit("feat: on top", { "logic.py": "print('on top')\n" });
  expect(await told(agent, "create")).toMatchObject({ version: "1.3.0", parent: "1.2.1" });
  expect(await told(agent, "verify", "--all", "--deep")).toMatchObject({ ok: true, total: 6 });
});

test("what is in no version takes a releaser, and so does what was taken away since", async () => {
  const { agent, bobs } = await threeVersions();
  agent.commit("fix: nobody released this", { "tools.json": "{}\n" });
  const before = refsOf(agent);
  const planned = await told(bobs, "rollback", "1.0.0", "--path", "logic.py", "--dry-run");
  const why = "tools.json would be as in none of v1.2.0, v1.0.0";
  expect(planned.plan.takes).toEqual({ role: "releaser", why });
  expect(await refused(bobs, "rollback", "1.0.0", "--path", "logic.py")).toMatchObject({
    code: "E112",
    message: expect.stringContaining(`is no releaser here, and this version takes one: ${why}`),
    hint: expect.stringContaining("git kai-version create"),
    exit: 1,
  });
  expect(refsOf(agent)).toEqual(before);
  agent.commit("fix: away with both", { "tools.json": undefined, "prompts/system.md": undefined });
  const gone = await refused(bobs, "rollback", "1.0.0", "--path", "logic.py");
  expect(gone.message).toContain("prompts/system.md would be as in none of v1.2.0, v1.0.0");
  // With the folder that misses it, nothing is left that is nobody's.
  const back = await told(bobs, "rollback", "1.0.0", "--path", "logic.py", "--path", "prompts");
  expect(back.plan.takes).toEqual({ role: "operator", why: null });
  expect(await told(bobs, "verify", "--all")).toMatchObject({ ok: true });
});

test("a releaser who is no operator makes no version by a rollback either", async () => {
  const { agent } = await threeVersions();
  const before = refsOf(agent);
  expect(await refused(agent, "rollback", "1.0.0", "--path", "logic.py")).toMatchObject({
    code: "E112",
    message: expect.stringContaining("is no operator here"),
  });
  expect(refsOf(agent)).toEqual(before);
});

type Forging = Pick<Awaited<ReturnType<typeof agentOfTwo>>, "agent" | "bob" | "repository" | "trust">;

/** Bob signs the newest entry of the log anew, with other sources: tags, or anything. */
async function withSources({ agent, bob, repository, trust }: Forging, named: unknown): Promise<void> {
  const made = entryOf(agent);
  const sources = Array.isArray(named) ? named.map((tag) => agent.git("rev-parse", `refs/tags/${tag}`)) : named;
  const parents = [agent.git("rev-parse", `${LOG_REF}^`)];
  const entry = { ...made, details: { ...made.details, sources } };
  await addEntry(repository, { signer: bob, ...trust, parents, at: new Date(made.at), entry });
  await pin(repository);
}

test.each<[string, unknown, RegExp]>([
  ["no sources", [], /the log does not say which versions/],
  ["words for sources", "v1.0.0", /the log does not say which versions/],
  ["one that does not have all", ["v1.2.0"], /logic\.py is as in none of v1\.2\.0/],
  ["others", ["v1.1.0", "v1.0.0"], /prompts\/system\.md is as in none of v1\.\d\.0, v1\.\d\.0/],
  ["itself", ["v1.2.1"], /v1\.2\.1, .* was made after it|the log does not say/],
])("a version of an operator whose entry names %s is refused by all", async (_, named, why) => {
  const three = await threeVersions();
  const { agent, bobs } = three;
  await told(bobs, "rollback", "1.0.0", "--path", "logic.py");
  await withSources(three, named);
  expect(await disproven(agent, "1.2.1")).toEqual(["v1.2.1: not-releaser"]);
  await expect(loadAgent(agent.dir)).rejects.toMatchObject({
    code: "E102",
    message: expect.stringMatching(new RegExp(`signed by a key that is no releaser, and (?:${why.source})`)),
  });
  const root = path.join(path.dirname(agent.dir), "deployed");
  expect(await refused(bobs, "deploy", "1.2.1", "--to", root)).toMatchObject({
    code: "E101",
    message: expect.stringMatching(new RegExp(`its signer is no releaser, and (?:${why.source})`)),
  });
});

test("what an operator signed is no source of the next", async () => {
  const three = await threeVersions();
  const { agent, bobs } = three;
  await told(bobs, "rollback", "1.0.0", "--path", "logic.py");
  await told(bobs, "rollback", "1.1.0", "--path", "prompts");
  await withSources(three, ["v1.2.1", "v1.1.0"]);
  expect(await disproven(agent, "1.2.2", "1.2.1")).toEqual(["v1.2.2: not-releaser"]);
  await expect(loadAgent(agent.dir)).rejects.toMatchObject({
    code: "E102",
    message: expect.stringContaining("refs/tags/v1.2.1 cannot be trusted: it was signed by a key that is no releaser"),
  });
});

test("a source whose content is not there proves nothing to who believes no cache", async () => {
  const { agent, bobs } = await threeVersions();
  await told(bobs, "rollback", "1.0.0", "--path", "logic.py");
  const blob = agent.git("rev-parse", "v1.0.0:prompts/system.md");
  rmSync(path.join(agent.dir, ".git/objects", blob.slice(0, 2), blob.slice(2)));
  expect(await told(bobs, "verify", "1.2.1")).toMatchObject({ ok: true });
  expect(await disproven(agent, "1.2.1", "--deep")).toEqual(["v1.2.1: not-releaser"]);
});

test("commands are run of an operator's version that is composed, and not of one that is not", async () => {
  // Not asked after the rollback, which would add an entry.
  const config = "lifecycle: {health: {run: 'true'}}\nrollback_system: {validation: {health_checks: false}}\n";
  const { agent, bob, bobs, repository, trust } = await threeVersions(config);
  await told(bobs, "rollback", "1.0.0", "--path", "logic.py");
  const health = ["rollback", "--when", "health == 0"];
  expect(await told(bobs, ...health)).toMatchObject({ triggered: false, metrics: { health: 1 } });
  await withSources({ agent, bob, repository, trust }, ["v1.2.0"]);
  expect(await refused(bobs, ...health)).toMatchObject({
    code: "E112",
    message: "The commands of v1.2.1 are not run: nothing proves who signed it.",
  });
});
