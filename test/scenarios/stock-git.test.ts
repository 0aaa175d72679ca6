import path from "node:path";
import { expect, test } from "vitest";
import { agentWithVersions } from "../support/agent.js";
import { gnupg } from "../support/gnupg.js";
import { doEverything, placeAt, readEverything, refsOf, told } from "./place.js";

async function agentPlace(...versions: string[]) {
  const agent = await agentWithVersions(...versions);
  return placeAt(agent.dir, agent.env);
}

test("git verify-tag and git verify-commit accept everything that is signed", async () => {
  const place = await agentPlace("1.0.0", "1.1.0");
  await told(place, "rollback", "1.0.0");
  place.write("new.py", "x = 1\n");
  await told(place, "create", "--include-changes", "-m", "with changes");
  await told(place, "undo");
  const keyring = gnupg();
  keyring.gpg(["--import"], (await place.kai("key", "export")).stdout);
  const env = { GNUPGHOME: keyring.home };
  const [tags, log, branch] = [
    place.git("tag").split("\n"),
    place.git("rev-list", "refs/kai/log").split("\n"),
    place.git("rev-list", "--grep=^Kai-Operation", "--grep=with changes", "main").split("\n"),
  ];
  expect(tags).toEqual(["current", "v1.0.0", "v1.1.0", "v1.1.1"]);
  expect(log).toHaveLength(6);
  expect(branch).toHaveLength(2);
  const verified = async (command: string, names: readonly string[]) => {
    for (const name of names) {
      const ran = await place.run("git", [command, name], { env });
      expect(`${command} ${name}: ${ran.exit}\n${ran.stderr}`).toMatch(/: 0\n[\s\S]*Good signature from "Ada Agent/);
    }
  };
  await verified("verify-tag", tags);
  await verified(
    "verify-commit",
    [...log, ...branch, place.git("rev-parse", "refs/kai/state/v1.1.1")].slice(0, log.length + branch.length),
  );
});

test("git fsck --strict finds nothing, git log shows the records", async () => {
  const place = await agentPlace("1.0.0", "1.1.0");
  await told(place, "rollback", "1.0.0");
  expect(place.git("fsck", "--strict", "--no-dangling")).toBe("");
  const shown = place.git("log", "--notes=kai", "-1", "v1.1.0^{commit}");
  expect(shown).toContain("Notes (kai):");
  expect(shown).toContain('"version":"1.1.0"');
  expect(shown).toContain('"subject":"rollback v1.1.0 -> v1.0.0"');
  expect(place.git("log", "--format=%s", "refs/kai/log")).toBe(
    "rollback v1.1.0 -> v1.0.0\ncreate v1.1.0\ncreate v1.0.0\ninit ai.example.clerk",
  );
});

test("after gc, repack and pack-refs every command does what it did", async () => {
  const place = await agentPlace("1.0.0", "1.1.0");
  await told(place, "rollback", "1.0.0");
  await told(place, "undo");
  const before = refsOf(place);
  place.git("pack-refs", "--all", "--prune");
  place.git("repack", "-a", "-d", "-q");
  place.git("reflog", "expire", "--expire=now", "--all");
  place.git("gc", "--quiet", "--prune=now");
  expect(refsOf(place)).toBe(before);
  await readEverything(place);
  await doEverything(place, "1.1.0", "1.2.0");
  expect(place.git("fsck", "--strict", "--no-dangling")).toBe("");
});

test("a bundle of all refs is a complete copy", async () => {
  const place = await agentPlace("1.0.0", "1.1.0");
  const bundle = path.join(path.dirname(place.dir), "clerk.bundle");
  place.git("bundle", "create", "--quiet", bundle, "--all");
  const copy = path.join(path.dirname(place.dir), "copy");
  place.git("clone", "--quiet", "--mirror", bundle, `${copy}/.git`);
  const unbundled = placeAt(copy, place.env);
  unbundled.git("config", "core.bare", "false");
  unbundled.git("checkout", "--quiet", "main");
  expect(await told(unbundled, "init")).toMatchObject({ outcome: "adopted" });
  await doEverything(unbundled, "1.1.0", "1.2.0");
});

test("settings that users have do not disturb it", async () => {
  const place = await agentPlace("1.0.0");
  for (const [key, value] of [
    ["log.showSignature", "true"],
    ["color.ui", "always"],
    ["core.quotePath", "true"],
    ["status.showUntrackedFiles", "no"],
    ["status.relativePaths", "true"],
    ["diff.noprefix", "true"],
    ["diff.renames", "copies"],
    ["diff.ignoreSubmodules", "all"],
    ["commit.gpgSign", "true"],
    ["tag.gpgSign", "true"],
    ["tag.sort", "-creatordate"],
    ["gpg.program", "false"],
    ["gpg.format", "ssh"],
    ["core.autocrlf", "input"],
    ["core.fsyncMethod", "batch"],
    ["core.splitIndex", "true"],
    ["index.version", "4"],
    ["feature.manyFiles", "true"],
    ["notes.displayRef", "refs/notes/*"],
    ["i18n.logOutputEncoding", "ISO-8859-1"],
    ["transfer.fsckObjects", "true"],
    ["pack.compression", "0"],
    ["core.logAllRefUpdates", "always"],
  ] as const) {
    place.git("config", key, value);
  }
  const commit = (message: string) => {
    place.git("add", "--all");
    place.git("-c", "commit.gpgSign=false", "commit", "-q", "-m", message);
  };
  await doEverything({ ...place, commit }, "1.0.0", "1.1.0");
});
