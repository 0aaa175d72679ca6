import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { placeAt, refused, told } from "../scenarios/place.js";
import { agentWithVersions } from "../support/agent.js";

async function clerk(...versions: string[]) {
  const agent = await agentWithVersions(...versions);
  return placeAt(agent.dir, agent.env);
}

test("a record says what MISSION.md asks of it, and the note, the tag and the log hold the same", async () => {
  const place = await clerk("1.0.0");
  place.write("tools/search.json", '{"name": "search", "input": {}}\n');
  place.git("add", "--all");
  place.git(
    "commit",
    "-q",
    "-m",
    "feat(tools)!: search takes an input",
    "-m",
    "BREAKING CHANGE: callers must give one",
  );
  place.write("logic.py", "print('fixed')\n");
  place.commit("fix: an answer");
  const created = await told(place, "create", "-m", "Search anew", "--tag", "stable", "--tag", "eu");
  expect(created).toMatchObject({ version: "2.0.0", parent: "1.0.0", type: "auto", required: "major", current: true });
  const { record } = created;
  expect(record).toEqual({
    format: "kai-record/1",
    id: created.operation,
    agent: "ai.example.clerk",
    repo: expect.stringMatching(/^[0-9a-f]{32}$/),
    version: "2.0.0",
    tag: "v2.0.0",
    type: "auto",
    commit: place.git("rev-parse", "HEAD"),
    parent: "1.0.0",
    created: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    createdBy: { name: "Ada Agent", email: "ada@example.com", key: expect.stringMatching(/^[0-9A-F]{40}$/) },
    notes: "Search anew",
    changelog: [
      expect.objectContaining({ type: "fix", scope: null, description: "an answer", breaking: false }),
      expect.objectContaining({ type: "feat", scope: "tools", description: "search takes an input", breaking: true }),
    ],
    tags: ["stable", "eu"],
    hash: created.hash,
    checksums: {
      config: expect.stringMatching(/^sha256:/),
      logic: expect.stringMatching(/^sha256:/),
      state: expect.stringMatching(/^sha256:/),
    },
    components: expect.objectContaining({ code: { files: 1, digest: expect.stringMatching(/^sha256:/) } }),
    unpinned: [],
    lfs: [],
    compatibility: { required: "major", backward: [], forward: [] },
    rollback: {
      canRollback: true,
      target: "1.0.0",
      risks: [expect.stringContaining("callers must give one")],
      procedure: "standard",
    },
    isolation: { process: "container", network: expect.any(String), filesystem: "overlay" },
  });
  const [line = ""] = place.git("notes", "--ref=kai", "show", "HEAD").split("\n");
  expect(JSON.parse(line)).toEqual(record);
  expect(place.git("cat-file", "blob", "refs/kai/log:record.json")).toBe(line);
  const tag = place.git("cat-file", "tag", "v2.0.0");
  const digest = createHash("sha256").update(line).digest("hex");
  for (const trailer of [
    "Kai-Type: auto",
    "Kai-Parent: 1.0.0",
    `Kai-Hash: ${record.hash}`,
    `Kai-Record: sha256:${digest}`,
    `Kai-State: ${record.checksums.state}`,
  ]) {
    expect(tag).toContain(`\n${trailer}\n`);
  }
  expect(tag).toContain("\n- feat(tools)!: search takes an input\n");
  expect(place.git("cat-file", "blob", "refs/kai/log:tags/v2.0.0")).toBe(tag);
  expect(place.git("cat-file", "blob", "refs/kai/log:tags/current")).toBe(place.git("cat-file", "tag", "current"));
});

test("children are derived, and a version tells what became of it", async () => {
  const place = await clerk("1.0.0", "1.1.0");
  await told(place, "rollback", "1.0.0");
  place.write("logic.py", "print('fixed')\n");
  place.commit("fix: an answer");
  expect(await told(place, "create")).toMatchObject({ version: "1.1.1", parent: "1.0.0" });
  expect(await told(place, "show", "1.0.0")).toMatchObject({
    children: ["1.1.0", "1.1.1"],
    ok: true,
    withdrawn: false,
  });
  const left = await told(place, "show", "v1.1.0");
  expect(left).toMatchObject({ children: [], withdrawn: true, current: false });
  expect(left.operations.map((each: { subject: string }) => each.subject)).toEqual([
    "create v1.1.0",
    "rollback v1.1.0 -> v1.0.0",
  ]);
  expect((await place.kai("list", "--tree")).stdout).toMatchInlineSnapshot(`
    "1.0.0  auto version 1.0.0
    ├─ 1.1.0  withdrawn  auto version 1.1.0
    └─ 1.1.1  current  auto version 1.1.1
    "
  `);
});

test("pre-releases, lower numbers and --no-current leave what is in force", async () => {
  const place = await clerk("1.0.0", "1.1.0");
  const made = async (...args: string[]) => (await told(place, "create", "--allow-unchanged", ...args)).current;
  expect(await made("--as", "2.0.0-rc.1")).toBe(false);
  expect(await made("--as", "1.0.1")).toBe(false);
  expect(await made("--no-current")).toBe(false);
  expect(await told(place, "current")).toMatchObject({ version: "1.1.0" });
  expect(await made("--as", "2.0.0")).toBe(true);
  expect(await refused(place, "create", "--allow-unchanged", "--as", "1.0.1")).toMatchObject({ code: "E108" });
});

test("what kai.yaml says of numbers is obeyed", async () => {
  const place = await clerk("1.0.0");
  const configured = (settings: string) => {
    place.write(
      "kai.yaml",
      `agent_id: ai.example.clerk\nversion_management:\n  semantic_versioning: {${settings}}\n  artifacts:\n    models: {versioning: false}\n`,
    );
    place.commit("feat: settings");
  };
  configured("auto_increment: false");
  expect(await refused(place, "create")).toMatchObject({ code: "E108" });
  expect(await told(place, "create", "--type", "manual", "--dry-run")).toMatchObject({ version: "1.1.0" });
  configured("auto_increment: major");
  expect(await told(place, "create", "--dry-run")).toMatchObject({ version: "2.0.0" });
  configured("compatibility_checking: true");
  expect(await refused(place, "create", "--bump", "patch")).toMatchObject({ code: "E108" });
  configured("compatibility_checking: false");
  expect(await told(place, "create", "--bump", "patch", "--dry-run")).toMatchObject({ version: "1.0.1" });
  configured("change_detection: false");
  const created = await told(place, "create");
  expect(created).toMatchObject({ version: "1.0.1", record: { unpinned: ["models"] } });
});
