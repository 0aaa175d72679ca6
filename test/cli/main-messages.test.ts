import path from "node:path";
import { expect, test } from "vitest";
import { placeAt } from "../scenarios/place.js";
import { agentWithVersions } from "../support/agent.js";
import { scratch } from "../support/scratch.js";

async function clerk(...versions: string[]) {
  const agent = await agentWithVersions(...versions);
  return placeAt(agent.dir, agent.env);
}

test("where nothing is: no repository, no agent, no version", async () => {
  const { dir, env } = scratch();
  const place = placeAt(dir, { ...env, GIT_CEILING_DIRECTORIES: path.dirname(dir) });
  expect(await place.kai("list")).toMatchInlineSnapshot(`
    Error E104: <agent> is not in a git repository.
    Hint: Run it inside your agent's repository, or name that with -C; \`git init\` makes one.
    [exit 1]
  `);
  place.git("init", "-q");
  expect(await place.kai("create")).toMatchInlineSnapshot(`
    Error E105: <agent> is not an agent yet: it has no kai.yaml.
    Hint: \`git kai-version init\` makes it one.
    [exit 1]
  `);
  expect(await place.kai("current")).toMatchInlineSnapshot(`
    Error E105: No version is in force: this repository has no log.
    Hint: \`git kai-version init\` makes it an agent, or adopts the log of its remote.
    [exit 1]
  `);
});

test("what is typed wrongly", async () => {
  const place = await clerk("1.0.0");
  expect(await place.kai("crate")).toMatchInlineSnapshot(`
    Error E122: 'crate' is not a command of git kai-version.
    Hint: Did you mean \`git kai-version create\`?
    [exit 2]
  `);
  expect(await place.kai("key", "exprot")).toMatchInlineSnapshot(`
    Error E122: 'key exprot' is not a command of git kai-version.
    Hint: Did you mean \`git kai-version key export\`?
    [exit 2]
  `);
  expect(await place.kai("list", "--sort", "size")).toMatchInlineSnapshot(`
    Error E122: Option '--sort <version|date|type|author>' argument 'size' is invalid. Allowed choices are version, date, type, author.
    Hint: \`git kai-version list --help\` shows how it is used.
    [exit 2]
  `);
  expect(await place.kai("list", "--since", "whenever")).toMatchInlineSnapshot(`
    Error E122: 'whenever' is no date.
    Hint: Write 2026-01-31, '2 weeks ago' or yesterday.
    [exit 2]
  `);
  expect(await place.kai("create", "--messag", "x")).toMatchInlineSnapshot(`
    Error E122: Unknown option '--messag' (Did you mean --message?)
    Hint: \`git kai-version create --help\` shows how it is used.
    [exit 2]
  `);
  const invalid = await place.kai("create", "--as", "1.2");
  expect(invalid.exit).toBe(2);
  expect(invalid.stderr).toContain("'1.2' is not a semantic version.");
  expect(await place.kai("show")).toMatchInlineSnapshot(`
    Error E122: Missing required argument 'version'.
    Hint: \`git kai-version show --help\` shows how it is used.
    [exit 2]
  `);
  expect(await place.kai("rollback", "1.0.0", "--to", "1.1.0")).toMatchInlineSnapshot(`
    Error E122: Two versions were given: 1.0.0 and 1.1.0.
    Hint: Name one.
    [exit 2]
  `);
});

test("what cannot be done", async () => {
  const place = await clerk("1.0.0", "1.1.0");
  expect(await place.kai("show", "9.0.0")).toMatchInlineSnapshot(`
    Error E101: There is no version 9.0.0.
    Hint: The newest are 1.0.0, 1.1.0; \`git kai-version list\` shows all.
    [exit 1]
  `);
  expect(await place.kai("rollback", "9.0.0")).toMatchInlineSnapshot(`
    Error E101: There is no version 9.0.0.
    Hint: The newest are 1.0.0, 1.1.0; \`git kai-version list\` shows all.
    [exit 1]
  `);
  expect(await place.kai("create")).toMatchInlineSnapshot(`
    Error E109: Nothing has changed since v1.1.0.
    Hint: Commit a change first; \`--allow-unchanged\` makes a version of the same content.
    [exit 1]
  `);
  expect(await place.kai("create", "--allow-unchanged", "--as", "1.0.0")).toMatchInlineSnapshot(`
    Error E108: The number 1.0.0 is taken by the tag v1.0.0.
    Hint: A number is never used twice; \`git kai-version next\` says which is next.
    [exit 1]
  `);
  place.write("logic.py", "print('breaks')\n");
  expect(await place.kai("create")).toMatchInlineSnapshot(`
    Error E102: Files were changed and not committed: logic.py.
    Hint: Commit them with \`git commit\`, or let \`--include-changes\` do it.
    [exit 1]
  `);
  place.commit("feat!: breaks");
  expect(await place.kai("create", "--type", "manual")).toMatchInlineSnapshot(`
    Error E108: The changes since 1.1.0 need a major version, not a minor one.
    Hint: \`git kai-version next\` shows why; \`--bump major\` takes it.
    [exit 1]
  `);
});

test("a word that is no version gets the version that was meant, and the command that lists them", async () => {
  const place = await clerk("1.0.0", "1.1.0");
  expect(await place.kai("verify", "HEAD")).toMatchInlineSnapshot(`
    Error E107: 'HEAD' is not a semantic version, nor a version's tag.
    Hint: Name a version such as 1.4.0, its tag, or \`current\`; \`git kai-version list\` shows the versions there are.
    [exit 2]
  `);
  expect(await place.kai("compare", "1.0.0", "v1")).toMatchInlineSnapshot(`
    Error E107: 'v1' is not a semantic version, nor a version's tag.
    Hint: Did you mean 1.1.0? \`git kai-version list\` shows the versions there are.
    [exit 2]
  `);
  for (const [asked, meant] of [
    ["v1.00.0", "v1.0.0"],
    ["1.1", "1.1.0"],
    ["v1,1.0", "v1.1.0"],
  ] as const) {
    expect((await place.kai("show", asked)).stderr).toContain(`Hint: Did you mean ${meant}?`);
  }
  expect((await place.kai("rollback", "banana")).stderr).toContain(
    "`git kai-version list` shows the versions there are.",
  );
});

test("a kai.yaml that is invalid, with its places", async () => {
  const place = await clerk("1.0.0");
  place.write("kai.yaml", "agent_id: x\nsnapshot_isolation:\n  filesystem: floppy\nrollback_sytem: {}\n");
  expect(await place.kai("next")).toMatchInlineSnapshot(`
    Error E106: kai.yaml:3:15: snapshot_isolation.filesystem must be one of none, overlay, tmpfs, not "floppy". (and 1 more)
    Hint: Allowed here: none, overlay, tmpfs. \`git kai-version config validate\` shows every problem in its place. \`git checkout v1.0.0 -- kai.yaml\` puts that of v1.0.0 in its place.
    [exit 1]
  `);
});

test("no key, and a wrong passphrase", async () => {
  const place = await clerk("1.0.0");
  const keyless = placeAt(place.dir, { ...place.env, KAI_HOME: path.join(path.dirname(place.dir), "nobody") });
  expect(await keyless.kai("create", "--allow-unchanged")).toMatchInlineSnapshot(`
    Error E110: There is no key to sign with.
    Hint: Make one with \`git kai-version key generate\`, or set KAI_SIGNING_KEY to an armored secret key.
    [exit 3]
  `);
  const locked = placeAt(place.dir, {
    ...place.env,
    KAI_HOME: path.join(path.dirname(place.dir), "locked"),
    PASS: "right",
  });
  await locked.kai("key", "generate", "--passphrase-env", "PASS");
  const wrong = placeAt(place.dir, { ...locked.env, KAI_KEY_PASSPHRASE: "wrong" });
  expect((await wrong.kai("create", "--allow-unchanged")).toString()).toMatch(/^Error E111: /);
  const right = placeAt(place.dir, { ...locked.env, KAI_KEY_PASSPHRASE: "right" });
  expect((await right.kai("create", "--allow-unchanged")).toString()).toMatch(/^Error E112: /);
});

test("an error with --json has the same status, and stdout holds nothing else", async () => {
  const place = await clerk("1.0.0");
  for (const args of [["show", "9.0.0"], ["create"], ["create", "--as", "x"], ["nonsense"], ["list", "--nonsense"]]) {
    const [plain, json] = [await place.kai(...args), await place.kai(...args, "--json")];
    expect(json.exit).toBe(plain.exit);
    expect(json.json()).toEqual({ schemaVersion: 1, error: expect.objectContaining({ message: expect.any(String) }) });
    expect(plain.stdout).toBe("");
  }
});

test("a reader that closes the pipe early, and a full disk behind it", async () => {
  const place = await clerk("1.0.0");
  const script = "set -o pipefail; git kai-version list --json | true; git kai-version log --json | head -c 1";
  expect(await place.run("bash", ["-c", script])).toMatchInlineSnapshot(`
    {
    [exit 0]
  `);
  const full = await place.run("bash", ["-c", "git kai-version list > /dev/full"]);
  expect(full.toString()).toMatch(/^Error E118: The output could not be written: ENOSPC.*\n\[exit 1\]$/);
});
