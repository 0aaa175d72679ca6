import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadAgent } from "../../src/deploy/load-agent.js";
import type { GitObject } from "../../src/git/object.js";
import { ObjectReader } from "../../src/git/object-reader.js";
import { parseTag } from "../../src/git/tag-object.js";
import { writeObjects } from "../../src/git/write-objects.js";
import { type Entry, LOG_REF } from "../../src/operation/entry.js";
import type { Role } from "../../src/trust/policy.js";
import { findRootOf, readTrustedLog } from "../../src/trust/trusted-log.js";
import { makeCurrentTag, makeSignedTag } from "../../src/version/release-objects.js";
import type { SmallAgent } from "../deploy/small-agent.js";
import { disproven, refused, told } from "../scenarios/place.js";
import { addEntry, emptyRepository } from "../trust/hand-made-log.js";
import { testSigner } from "../trust/signing.js";
import { agentOfTwo, policyOf, signerOf } from "./agent-of-two.js";

const LATER = new Date("2026-07-01T00:00:00Z");

test("each does what the policy lets them do, and all of it verifies", async () => {
  const { agent, asBob } = await agentOfTwo();
  await agent.create();
  agent.commit("feat: more", { "logic.py": "print('more')\n" });
  expect(await refused({ dir: agent.dir, env: asBob }, "create")).toMatchObject({ code: "E112" });
  await agent.create();
  expect(await refused(agent, "rollback", "1.0.0")).toMatchObject({ code: "E112" });
  expect(await told({ dir: agent.dir, env: asBob }, "rollback", "1.0.0")).toMatchObject({ to: "1.0.0" });
  expect(await told(agent, "verify", "--all", "--deep")).toMatchObject({ ok: true, total: 2 });
  expect(await loadAgent(agent.dir)).toMatchObject({ version: "1.0.0" });
});

test("a version that was signed by a key of the policy without the role is none", async () => {
  const { agent, bob, repository, trust, asBob } = await agentOfTwo();
  await agent.create();
  const signed = parseTag(Buffer.from(`${agent.git("cat-file", "tag", "v1.0.0")}\n`));
  if ("problem" in signed) throw new Error(signed.problem);
  const [commit, head] = [signed.object, agent.git("rev-parse", LOG_REF)];
  const message = signed.message.trimEnd();
  const tag = await makeSignedTag({ name: "v1.0.1", commit, message, at: LATER }, bob, "sha1");
  const pointer = await makeCurrentTag(
    { ...says(agent), version: "1.0.1", tagName: "v1.0.1", tag: tag.id, commit, at: LATER },
    bob,
    "sha1",
  );
  await writeObjects(repository, [tag, pointer.object]);
  // What an operator may do, and in it what only a releaser may.
  const before = entryOf(agent).current.after;
  await addEntry(repository, {
    signer: bob,
    ...trust,
    parents: [head],
    at: LATER,
    entry: {
      ...says(agent),
      kind: "rollback",
      seq: 2,
      changes: [
        { ref: "refs/tags/v1.0.1", old: null, new: tag.id },
        { ref: "refs/tags/current", old: before?.pointer ?? null, new: pointer.object.id },
      ],
      current: { before, after: pointer.inForce },
    },
  });
  put(agent, tag, "refs/tags/v1.0.1");
  put(agent, pointer.object, "refs/tags/current");
  expect(await disproven(agent, "1.0.1")).toContain("v1.0.1: not-releaser");
  await expect(loadAgent(agent.dir)).rejects.toMatchObject({
    code: "E102",
    message: expect.stringContaining("signed by a key that is no releaser"),
  });
  await told({ dir: agent.dir, env: asBob }, "rollback", "1.0.0");
  expect(await refused({ dir: agent.dir, env: asBob }, "rollback", "1.0.1", "--force")).toMatchObject({
    code: "E101",
    message: expect.stringContaining("its signer is no releaser"),
  });
});

test("a tag that the log made and that says nothing of a version is none", async () => {
  const { agent, ada, repository, trust } = await agentOfTwo();
  await agent.create();
  const commit = agent.git("rev-parse", "v1.0.0^{commit}");
  const tag = await makeSignedTag({ name: "v1.0.1", commit, message: "words", at: LATER }, ada, "sha1");
  await writeObjects(repository, [tag]);
  const { current } = entryOf(agent);
  await addEntry(repository, {
    signer: ada,
    ...trust,
    parents: [agent.git("rev-parse", LOG_REF)],
    at: LATER,
    entry: {
      repo: says(agent).repo,
      kind: "create",
      seq: 2,
      changes: [{ ref: "refs/tags/v1.0.1", old: null, new: tag.id }],
      current: { before: current.after, after: current.after },
      details: { tag: "v1.0.1", version: "1.0.1" },
    },
  });
  put(agent, tag, "refs/tags/v1.0.1");
  expect(await disproven(agent, "--all")).toEqual(["v1.0.1: bad-tag"]);
  expect(await refused(agent, "rollback", "1.0.1", "--force")).toMatchObject({ exit: 1 });
});

const entryOf = (agent: SmallAgent): Entry => JSON.parse(agent.git("log", "-1", "--format=%b", LOG_REF)) as Entry;

const says = (agent: SmallAgent) => ({
  repo: entryOf(agent).repo,
  agent: "ai.example.small",
  operation: entryOf(agent).id,
});

const put = (agent: SmallAgent, object: GitObject, ref: string) => agent.git("update-ref", ref, object.id);

const ALL = { ada: ["owner", "releaser", "operator", "auditor"], bob: ["tester"] } as const;

const ENTRIES: readonly [string, Partial<Entry>, { ada: readonly Role[]; bob: readonly Role[] }, RegExp | undefined][] =
  [
    ["a create by a releaser", { kind: "create" }, { ...ALL, bob: ["releaser"] }, undefined],
    ["a promotion by a releaser", { kind: "promote" }, { ...ALL, bob: ["releaser"] }, undefined],
    ["a rollback by an operator", { kind: "rollback" }, { ...ALL, bob: ["operator"] }, undefined],
    ["an undo by an operator", { kind: "undo" }, { ...ALL, bob: ["operator"] }, undefined],
    [
      "a create by an operator",
      { kind: "create" },
      { ...ALL, bob: ["operator"] },
      /\(create\) was signed by a key that is no releaser/,
    ],
    [
      "a promotion by an operator",
      { kind: "promote" },
      { ...ALL, bob: ["operator"] },
      /\(promote\) was signed by a key that is no releaser/,
    ],
    ["a rollback by a releaser", { kind: "rollback" }, { ...ALL, bob: ["releaser"] }, /\(rollback\) .* no operator/],
    ["an undo by a tester", { kind: "undo" }, ALL, /\(undo\) .* no operator/],
  ];

test.each(ENTRIES)("%s is judged by the role of its key", async (_, entry, roles, why) => {
  const repository = await emptyRepository();
  const ada = await testSigner();
  const { signer: bob } = await signerOf({ dir: path.join(repository.gitDir, "x") }, "bob");
  const trust = {
    policy: policyOf([
      [ada, roles.ada],
      [bob, roles.bob],
    ]),
    keys: [ada, bob],
  };
  const first = await addEntry(repository, { signer: ada, ...trust });
  const reader = new ObjectReader(repository);
  onTestFinished(() => reader.close());
  const root = await findRootOf(repository, reader, LOG_REF);
  const second = await addEntry(repository, { signer: bob, ...trust, parents: [first], entry });
  const reading = readTrustedLog(repository, reader, root);
  if (why === undefined) expect(await reading).toMatchObject({ head: second });
  else await expect(reading).rejects.toMatchObject({ code: "E121", message: expect.stringMatching(why) });
});

test("a log that nobody founded who owns it is not pinned", async () => {
  const repository = await emptyRepository();
  const ada = await testSigner();
  const { signer: bob } = await signerOf({ dir: path.join(repository.gitDir, "x") }, "bob");
  const policy = policyOf([
    [ada, ["owner"]],
    [bob, ["releaser"]],
  ]);
  await addEntry(repository, { signer: bob, policy, keys: [ada, bob] });
  const reader = new ObjectReader(repository);
  onTestFinished(() => reader.close());
  await expect(findRootOf(repository, reader, LOG_REF)).rejects.toMatchObject({
    code: "E121",
    message: expect.stringContaining("(init) was signed by a key that is no owner"),
  });
});
