import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { type Place, placeAt, refsOf, refused, told } from "../scenarios/place.js";
import { agentWithVersions } from "../support/agent.js";
import { scratch } from "../support/scratch.js";

/** A repository that is no agent yet. */
function clerk(): Place {
  const { dir, env } = scratch();
  const place = placeAt(path.join(dir, "clerk"), env);
  execFileSync("git", ["init", "-q", "-b", "main", place.dir], { env });
  place.write("logic.py", "print(1)\n");
  place.write("state.json", "{}\n");
  place.commit("feat: answer");
  return place;
}

/** Every file of the repository, git's own included, with its content and time. */
function everything({ dir }: Place): string[] {
  return readdirSync(dir, { recursive: true, encoding: "utf8", withFileTypes: true })
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
    .map((file) => {
      const stat = statSync(file);
      return `${file} ${stat.mtimeMs} ${stat.isFile() ? readFileSync(file, "latin1") : ""}`;
    });
}

test("init --dry-run says what would be written, and founds nothing", async () => {
  const place = clerk();
  const before = everything(place);
  const plan = await told(place, "init", "--dry-run");
  expect(await place.kai("init", "--dry-run")).toMatchInlineSnapshot(`
    Would make clerk an agent.

      framework  generic
      files      1 code, 1 config, 1 asset
      key        a new one would be made
      to write   kai.yaml, .gitignore  (in a commit of its own)
      state      state.json: git forgets it, each version captures it

    kai.yaml
      # What git kai-version knows of this agent. Only agent_id must be here;
      # \`git kai-version config show --all\` lists every key with its default.
      agent_id: clerk

      version_management:
        artifacts:
          # Runtime state: ignored by git, captured with each version.
          state:
            include: ["state.json"]

    Nothing was changed.
    [exit 0]
  `);
  expect(everything(place)).toEqual(before);
  expect(existsSync(String(place.env["KAI_HOME"]))).toBe(false);
  const made = await told(place, "init", "--yes");
  expect(plan).toEqual({
    ...made,
    dryRun: true,
    repoId: null,
    trustRoot: null,
    commit: null,
    key: { fingerprint: null, made: true },
    config: place.git("show", "HEAD:kai.yaml").concat("\n"),
  });
});

test("init --dry-run refuses what init refuses, and names the key that there is", async () => {
  const place = clerk();
  await place.kai("key", "generate", "--no-passphrase");
  const { keys } = await told(place, "key", "list");
  const plan = await told(place, "init", "--dry-run", "--no-commit", "--agent-id", "ai.example.clerk");
  expect(plan).toMatchObject({ agentId: "ai.example.clerk", key: { fingerprint: keys[0].fingerprint, made: false } });
  expect((await place.kai("init", "--dry-run", "--no-commit")).stdout).toContain(
    "kai.yaml, .gitignore  (not committed)",
  );
  place.git("switch", "-q", "--detach");
  expect(await refused(place, "init", "--dry-run")).toEqual(await refused(place, "init"));
  expect(refsOf(place, "refs/kai")).toBe("");
});

test("init --dry-run in a clone says that it would fetch and adopt, where the log is here that it would pin it", async () => {
  const agent = await agentWithVersions("1.0.0");
  const clone = placeAt(path.join(path.dirname(agent.dir), "clone"), agent.env);
  agent.git("clone", "-q", `file://${agent.dir}`, clone.dir);
  const before = everything(clone);
  expect(await clone.kai("init", "--dry-run")).toMatchInlineSnapshot(`
    Would fetch the log of ai.example.clerk from origin, verify it and adopt it.

      framework  generic
      files      1 asset, 1 config, 1 code, 1 prompt, 1 tool

    Nothing was changed.
    [exit 0]
  `);
  expect(everything(clone)).toEqual(before);
  expect(await told(clone, "init", "--dry-run")).toMatchObject({
    outcome: "adopted",
    remote: "origin",
    trustRoot: null,
    written: [],
  });
  clone.git(
    "fetch",
    "-q",
    "origin",
    "refs/kai/*:refs/kai/*",
    "refs/notes/kai:refs/notes/kai",
    "+refs/tags/*:refs/tags/*",
  );
  clone.git("remote", "remove", "origin");
  const planned = await told(clone, "init", "--dry-run");
  expect((await clone.kai("init", "--dry-run")).stdout).toContain(
    "Would verify the log of ai.example.clerk that is here",
  );
  expect(await clone.kai("init")).toMatchInlineSnapshot(`
    ✓ Adopted ai.example.clerk: its log was here; it was verified and pinned.

      framework  generic
      files      1 asset, 1 config, 1 code, 1 prompt, 1 tool
      trust root sha256:<id>

    Compare the trust root with the one its owner tells you; until then this clone takes it as it came.
    [exit 0]
  `);
  const present = await told(clone, "init", "--dry-run");
  expect(present).toMatchObject({ outcome: "present", trustRoot: planned.trustRoot });
});

test("init counts one number that was here as one", async () => {
  const place = clerk();
  place.git("tag", "v0.1.0");
  expect((await place.kai("init", "--dry-run")).stdout).toContain(
    "reserved   1 number of a tag that was here: 0.1.0\n",
  );
  place.git("tag", "v0.2.0");
  expect((await place.kai("init", "--dry-run")).stdout).toContain("2 numbers of tags that were here: 0.1.0, 0.2.0\n");
});
