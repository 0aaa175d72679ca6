import path from "node:path";
import { expect, test } from "vitest";
import { readAgentHistory } from "../../src/version/reading.js";
import type { Standing } from "../../src/version/standing.js";
import { placeAt, refsOf, refused, told } from "../scenarios/place.js";
import { agentWithVersions } from "../support/agent.js";
import { agentOfTwo } from "../trust-e2e/agent-of-two.js";

type Somewhere = Parameters<typeof told>[0];

/** What the history says of each version that somebody said something of. */
async function standings({ dir, env }: Somewhere): Promise<Record<string, Standing>> {
  const { history } = await readAgentHistory(dir, env);
  const known = history.versions.flatMap(({ tag, standing }) => (standing ? [[tag, standing] as const] : []));
  // One by one as all together.
  const { history: other } = await readAgentHistory(dir, env);
  for (const { tag, tagId, standing } of history.versions) {
    const alone = other.versionTagged(tagId);
    if (alone?.tag === tag) expect(alone.standing).toEqual(standing);
  }
  return Object.fromEntries(known);
}

test("a version is promoted, deprecated, archived and promoted again, and nothing else changes", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const refs = () => refsOf(agent, "refs/heads", "refs/tags", "refs/kai/state");
  const before = refs();
  expect(await agent.kai("promote", "1.0.0", "production", "--stability", "stable")).toMatchInlineSnapshot(`
    ✓ v1.0.0 is production (stable)
    [exit 0]
  `);
  expect(await refused(agent, "promote", "v1.0.0", "production")).toMatchObject({
    code: "E109",
    message: "v1.0.0 is production (stable) already.",
  });
  expect(await agent.kai("deprecate", "1.0.0", "--reason", "it forgets\nnames")).toMatchInlineSnapshot(`
    ✓ v1.0.0 is deprecated (stable)
      reason  it forgets names
      before  production (stable)
    [exit 0]
  `);
  expect(await standings(agent)).toMatchObject({
    "v1.0.0": { status: "deprecated", stability: "stable", reason: "it forgets names" },
  });
  expect(await refused(agent, "deprecate", "1.0.0", "--reason", "it forgets\nnames")).toMatchObject({ code: "E109" });
  expect(await told(agent, "deprecate", "1.0.0", "--reason", "it forgets everything")).toMatchObject({
    reason: "it forgets everything",
    previous: { reason: "it forgets names" },
  });
  expect(await told(agent, "archive", "1.0.0")).toMatchObject({ status: "archived", reason: null });
  expect(await told(agent, "promote", "current", "staging", "--stability", "beta")).toMatchObject({
    version: "1.1.0",
    tag: "v1.1.0",
    status: "staging",
    stability: "beta",
    previous: null,
  });
  const again = await told(agent, "promote", "1.0.0", "testing");
  expect(again).toMatchObject({
    version: "1.0.0",
    status: "testing",
    stability: "stable",
    previous: { status: "archived" },
  });
  expect(await standings(agent)).toMatchObject({
    "v1.0.0": { status: "testing", stability: "stable", reason: null },
    "v1.1.0": { status: "staging", stability: "beta", reason: null },
  });
  expect(refs()).toBe(before);
  expect(agent.git("status", "--porcelain")).toBe("");
  const { operations } = await told(agent, "log", "--kind", "promote");
  expect(operations[0]).toMatchObject({ id: again.operation, kind: "promote", from: "1.1.0", to: "1.1.0" });
  expect(operations.map(({ subject }: { subject: string }) => subject)).toEqual([
    "promote v1.0.0 to testing (stable)",
    "promote v1.1.0 to staging (beta)",
    "archive v1.0.0",
    "deprecate v1.0.0",
    "deprecate v1.0.0",
    "promote v1.0.0 to production (stable)",
  ]);
  const notes = agent.git("notes", "--ref=kai", "show", "v1.0.0^{commit}");
  expect(notes).toContain('"subject":"archive v1.0.0"');
  expect(await told(agent, "verify", "--all", "--deep")).toMatchObject({ ok: true, total: 2 });
  // Nothing of it makes a version.
  expect(await told(agent, "list")).toMatchObject({ total: 2, skipped: [] });
});

test("a dry run says what would be, and a bad word or a missing reason changes nothing either", async () => {
  const agent = await agentWithVersions("1.0.0");
  const before = refsOf(agent);
  expect(await told(agent, "promote", "1.0.0", "production", "--dry-run")).toMatchObject({
    operation: null,
    status: "production",
    dryRun: true,
  });
  expect(await refused(agent, "promote", "1.0.0", "stagin")).toMatchObject({
    code: "E122",
    hint: "Did you mean staging?",
    exit: 2,
  });
  expect(await refused(agent, "promote", "1.0.0", "staging", "--stability", "solid")).toMatchObject({ code: "E122" });
  for (const args of [
    ["deprecate", "1.0.0"],
    ["promote", "1.0.0", "deprecated"],
    ["archive", "1.0.0", "--reason", " "],
  ]) {
    expect(await refused(agent, ...args)).toMatchObject({ code: "E122", exit: 2 });
  }
  expect(await refused(agent, "archive", "9.9.9")).toMatchObject({ code: "E101" });
  expect(refsOf(agent)).toBe(before);
});

test("what was withdrawn can be given up and not promoted, and what another tool made is neither", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await told(agent, "promote", "1.1.0", "production");
  await told(agent, "rollback", "1.0.0");
  expect(await refused(agent, "promote", "1.1.0", "staging")).toMatchObject({
    code: "E101",
    message: "v1.1.0 was withdrawn by a rollback or an undo.",
    hint: expect.stringContaining("takes it back into use"),
  });
  await told(agent, "deprecate", "1.1.0", "--reason", "it fails");
  await told(agent, "archive", "1.1.0");
  agent.git("tag", "-a", "-m", "another tool's", "v0.1.0");
  expect(await refused(agent, "archive", "0.1.0")).toMatchObject({
    code: "E101",
    message: expect.stringContaining("made by another tool"),
  });
});

test("only what is proven is promoted, and what is said holds for that very tag", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await told(agent, "promote", "1.0.0", "production");
  const tag = agent.git("rev-parse", "v1.0.0");
  agent.git("update-ref", "refs/tags/v1.0.0", agent.git("rev-parse", "v1.1.0"));
  agent.git("update-ref", "refs/tags/v7.0.0", tag);
  expect(await standings(agent)).toEqual({});
  expect(await refused(agent, "promote", "1.0.0", "staging")).toMatchObject({
    code: "E101",
    message: "v1.0.0 is corrupted: it is not the tag that the log made.",
  });
  agent.git("update-ref", "refs/tags/v1.0.0", tag);
  expect(await standings(agent)).toMatchObject({ "v1.0.0": { status: "production" } });
});

test("undo brings back what was said before, and undo of that too; nothing is in force by it", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const said = async () => (await standings(agent))["v1.0.0"];
  const first = await told(agent, "promote", "1.0.0", "staging", "--stability", "beta");
  const second = await told(agent, "deprecate", "1.0.0", "--reason", "it forgets names");
  await told(agent, "promote", "1.1.0", "production");
  expect(await refused(agent, "undo", first.operation)).toMatchObject({
    code: "E125",
    message: "Something else was said of v1.0.0 since: deprecate v1.0.0.",
    hint: expect.stringContaining(`undo ${second.operation}`),
  });
  const before = refsOf(agent);
  expect(await told(agent, "undo", second.operation, "--dry-run")).toMatchObject({
    operation: null,
    promotion: { tag: "v1.0.0", standing: { status: "staging", stability: "beta" } },
  });
  expect(refsOf(agent)).toBe(before);
  const undone = await told(agent, "undo", second.operation);
  expect(undone).toMatchObject({
    kind: "promote",
    undone: { id: second.operation, kind: "promote" },
    from: "1.1.0",
    to: "1.1.0",
    plan: null,
    keeping: null,
  });
  expect(await said()).toMatchObject({ status: "staging", stability: "beta", reason: null });
  expect((await agent.kai("undo")).stdout).toContain("  standing   v1.0.0 deprecated (beta): it forgets names\n");
  expect(await said()).toMatchObject({ status: "deprecated", reason: "it forgets names" });
  await told(agent, "undo");
  // What was undone and done again is undone by its own operations alone.
  expect(await refused(agent, "undo", second.operation)).toMatchObject({ code: "E125" });
  const third = await told(agent, "archive", "1.1.0");
  await told(agent, "undo", third.operation);
  expect(await standings(agent)).toMatchObject({ "v1.1.0": { status: "production" } });
  expect(await told(agent, "verify", "--all", "--deep")).toMatchObject({ ok: true });
});

test("the first word about a version is taken back, and then it has no standing", async () => {
  const agent = await agentWithVersions("1.0.0");
  await told(agent, "promote", "1.0.0", "production");
  expect((await agent.kai("undo")).stdout).toContain("  standing   v1.0.0 has none, as before\n");
  expect(await standings(agent)).toEqual({});
  expect(await told(agent, "promote", "1.0.0", "production")).toMatchObject({ previous: null });
});

test("it takes a releaser", async () => {
  const { agent, asBob } = await agentOfTwo();
  await agent.create();
  const before = agent.git("for-each-ref");
  for (const args of [
    ["promote", "1.0.0", "staging"],
    ["archive", "1.0.0"],
  ]) {
    expect(await refused({ dir: agent.dir, env: asBob }, ...args)).toMatchObject({
      code: "E112",
      message: expect.stringContaining("is no releaser here"),
    });
  }
  expect(agent.git("for-each-ref")).toBe(before);
  const { operation } = await told(agent, "promote", "1.0.0", "staging");
  expect(await refused({ dir: agent.dir, env: asBob }, "undo", operation)).toMatchObject({ code: "E112" });
});

test("in a bare repository and in a clone it is the same", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await told(agent, "promote", "1.0.0", "staging");
  const dir = path.join(path.dirname(agent.dir), "bare.git");
  agent.git("clone", "--quiet", "--mirror", ".", dir);
  const bare = placeAt(dir, agent.env);
  await told(bare, "init");
  expect(await standings(bare)).toEqual(await standings(agent));
  expect(await told(bare, "promote", "1.0.0", "production")).toMatchObject({ previous: { status: "staging" } });
  expect(await standings(bare)).toMatchObject({ "v1.0.0": { status: "production" } });
  expect(await told(bare, "verify", "--all", "--deep")).toMatchObject({ ok: true });
});
