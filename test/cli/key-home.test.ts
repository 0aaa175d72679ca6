import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { runTraced } from "../operation/run-traced.js";
import { refused, told } from "../scenarios/place.js";
import { agentWithVersions } from "../support/agent.js";
import { scratch } from "../support/scratch.js";

type Base = { base: string; home: string };

const PLACES: readonly [string, (at: Base) => NodeJS.ProcessEnv][] = [
  ["is a file", ({ base }) => ({ KAI_HOME: path.join(base, "file") })],
  ["lies below a file", ({ base }) => ({ KAI_HOME: path.join(base, "file", "kai") })],
  ["lies behind a link that leads nowhere", ({ base }) => ({ KAI_HOME: path.join(base, "link", "kai") })],
  ["lies where nobody can make a folder", () => ({ KAI_HOME: "/proc/kai" })],
  ["is not set, and there is no home", () => ({ KAI_HOME: undefined, HOME: "/dev/null" })],
  ["has a file for its folder of keys", ({ home }) => ({ KAI_HOME: home })],
];

function placed(where: (at: Base) => NodeJS.ProcessEnv): { env: NodeJS.ProcessEnv } {
  const base = scratch().dir;
  const home = path.join(base, "kai");
  writeFileSync(path.join(base, "file"), "");
  symlinkSync(path.join(base, "nowhere"), path.join(base, "link"));
  mkdirSync(home);
  writeFileSync(path.join(home, "keys"), "");
  return { env: where({ base, home }) };
}

test.each(PLACES)("where the folder for keys %s, making a key is refused and nothing changed", async (_, where) => {
  const { dir, env } = scratch();
  execFileSync("git", ["init", "-q"], { cwd: dir, env });
  execFileSync("git", ["config", "user.name", "Ada"], { cwd: dir, env });
  execFileSync("git", ["config", "user.email", "ada@example.com"], { cwd: dir, env });
  const place = { dir, env: { ...env, ...placed(where).env } };
  expect(await told(place, "key", "list")).toMatchObject({ keys: [] });
  for (const args of [
    ["key", "generate", "--no-passphrase"],
    ["init", "--yes"],
  ]) {
    expect(await refused(place, ...args)).toMatchObject({
      code: "E118",
      message: expect.stringMatching(/^No key can be kept in .*: .+\.$/),
      exit: 1,
    });
  }
  expect(existsSync(path.join(dir, "kai.yaml"))).toBe(false);
});

test.each(PLACES)("where the folder for keys %s, versions verify, and none is made", async (_, where) => {
  const agent = await agentWithVersions("1.0.0");
  const place = { dir: agent.dir, env: { ...agent.env, ...placed(where).env } };
  expect(await told(place, "verify", "--all")).toMatchObject({ ok: true });
  expect(await told(place, "list")).toMatchObject({ total: 1 });
  expect(await refused(place, "create", "--allow-unchanged")).toMatchObject({ code: "E110", exit: 3 });
});

test("a default key that cannot be read is told as such", async () => {
  const agent = await agentWithVersions("1.0.0");
  const home = scratch().dir;
  mkdirSync(path.join(home, "keys", "default"), { recursive: true });
  const place = { dir: agent.dir, env: { ...agent.env, KAI_HOME: home } };
  expect(await refused(place, "create", "--allow-unchanged")).toMatchObject({ code: "E123" });
});

test("a folder for keys on a read-only file system is told as such", async () => {
  const { dir, env } = scratch();
  const traced = { dir, env: { ...env, KAI_HOME: path.join(dir, "deep", "kai") } };
  const args = ["key", "generate", "--name", "Ada", "--email", "ada@example.com", "--no-passphrase"];
  const ran = await runTraced(traced, args, { match: "mkdir\\S* \\S*/deep$", blow: "EROFS" });
  expect(ran.struck).toContain("mkdir");
  expect(ran.exit).toBe(1);
  expect(ran.stderr).toContain("deep/kai/keys: read-only file system.\nHint: Keys are kept below `$KAI_HOME`");
});
