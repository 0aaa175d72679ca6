import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { disproven, type Place, placeAt, readEverything, refsOf, refused, told } from "../scenarios/place.js";
import { agentWithVersions } from "../support/agent.js";

async function clerk(...versions: string[]): Promise<Place> {
  const agent = await agentWithVersions(...versions);
  return placeAt(agent.dir, agent.env);
}

const CURRENT = "refs/tags/current";

/** Writes an object from its text, and gives its id. */
function written(place: Place, type: "tag" | "commit" | "blob", text: string): string {
  return execFileSync("git", ["hash-object", "-w", "-t", type, "--stdin", "--literally"], {
    cwd: place.dir,
    env: place.env,
    input: text,
    encoding: "utf8",
  }).trim();
}

test("a tag object under another ref's name", async () => {
  const place = await clerk("1.0.0", "1.1.0");
  place.git("update-ref", "refs/tags/v1.1.0", "refs/tags/v1.0.0");
  expect(await disproven(place)).toEqual([
    "v1.1.0: record-differs",
    "v1.1.0: record-differs",
    "v1.1.0: tag-moved",
    "v1.1.0: wrong-name",
  ]);
  place.git("update-ref", "refs/tags/v7.0.0", "refs/tags/v1.0.0");
  expect(await disproven(place, "7.0.0")).toEqual([
    "v7.0.0: not-in-log",
    "v7.0.0: record-differs",
    "v7.0.0: record-differs",
    "v7.0.0: wrong-name",
  ]);
  expect(await refused(place, "rollback", "7.0.0")).toMatchObject({
    code: "E101",
    message: expect.stringContaining("v7.0.0 is corrupted"),
  });
});

test("a tag that was deleted, made again, or made lightweight", async () => {
  const place = await clerk("1.0.0", "1.1.0");
  const id = place.git("rev-parse", "refs/tags/v1.0.0");
  place.git("tag", "-d", "v1.0.0");
  expect(await disproven(place)).toEqual(["v1.0.0: tag-missing"]);
  expect(await refused(place, "rollback", "1.0.0")).toMatchObject({ code: "E101" });
  place.git("tag", "v1.0.0", `${id}^{commit}`);
  expect(await disproven(place)).toEqual(["v1.0.0: tag-moved"]);
  expect(await refused(place, "rollback", "1.0.0", "--force")).toMatchObject({ code: "E101" });
  place.git("tag", "-f", "-a", "-m", "mine", "v1.0.0", `${id}^{commit}`);
  expect(await disproven(place)).toEqual(["v1.0.0: signature", "v1.0.0: tag-moved"]);
  expect(await refused(place, "rollback", "1.0.0", "--force")).toMatchObject({ code: "E101" });
  place.git("update-ref", "refs/tags/v1.0.0", id);
  await readEverything(place);
});

test("a tag without its signature, or with other words under it", async () => {
  const place = await clerk("1.0.0", "1.1.0");
  const text = `${place.git("cat-file", "tag", "v1.1.0")}\n`;
  const unsigned = text.slice(0, text.indexOf("-----BEGIN"));
  place.git("update-ref", "refs/tags/v1.1.0", written(place, "tag", unsigned));
  expect(await disproven(place, "1.1.0")).toEqual(["v1.1.0: signature", "v1.1.0: tag-moved"]);
  expect(await told(place, "list")).toMatchObject({ versions: [{ current: false }, {}] });
  for (const forged of [
    text.replace("Kai-Parent: 1.0.0", "Kai-Parent: 0.9.0"),
    `${text}trailing`,
    text.replace("BEGIN PGP SIGNATURE-----\n", "BEGIN PGP SIGNATURE-----\nVersion: 1\n"),
    text.slice(0, text.indexOf("-----BEGIN")) + text.slice(text.indexOf("-----BEGIN")).repeat(2),
  ]) {
    place.git("update-ref", "refs/tags/v1.1.0", written(place, "tag", forged));
    const codes = await disproven(place, "1.1.0");
    expect(codes).toContain("v1.1.0: signature");
    expect(codes).toContain("v1.1.0: tag-moved");
  }
  await told(place, "rollback", "1.0.0");
  const back = await refused(place, "rollback", "1.1.0", "--force");
  expect(back).toMatchObject({ code: "E101", message: expect.stringContaining("v1.1.0 is corrupted") });
});

test("a valid tag of another repository", async () => {
  const [place, other] = [await clerk("1.0.0"), await clerk("1.0.0", "2.0.0")];
  place.git("fetch", "--quiet", other.dir, "refs/tags/v2.0.0:refs/tags/v2.0.0");
  const codes = await disproven(place, "2.0.0");
  expect(codes).toEqual(expect.arrayContaining(["v2.0.0: not-in-log", "v2.0.0: record-not-fetched"]));
  expect(await refused(place, "rollback", "2.0.0")).toMatchObject({ code: "E101" });
});

test("a valid tag of another agent by the same people", async () => {
  const place = await clerk("1.0.0");
  const dir = path.join(path.dirname(place.dir), "other");
  place.git("clone", "--quiet", place.dir, dir);
  const other = placeAt(dir, place.env);
  await told(other, "init", "--new-root");
  other.write("logic.py", "print('of another agent')\n");
  other.commit("feat: another agent");
  expect(await told(other, "create", "--as", "2.0.0")).toMatchObject({ version: "2.0.0" });
  place.git("fetch", "--quiet", dir, "refs/tags/v2.0.0:refs/tags/v2.0.0", "refs/notes/kai:refs/notes/kai", "--force");
  expect(await disproven(place, "2.0.0")).toEqual(["v2.0.0: not-in-log", "v2.0.0: wrong-repository"]);
  for (const force of [[], ["--force"]]) {
    expect(await refused(place, "rollback", "2.0.0", ...force)).toMatchObject({
      code: "E101",
      message: expect.stringContaining("v2.0.0 is corrupted"),
    });
  }
});

test("current moved without an entry of the log, replayed, or deleted", async () => {
  const place = await clerk("1.0.0", "1.1.0");
  const now = place.git("rev-parse", CURRENT);
  const old = place.git("rev-parse", "refs/kai/log~1:tags/current");
  const replayed = written(place, "tag", `${place.git("cat-file", "blob", old)}\n`);
  for (const [id, code] of [
    [replayed, "log: current-moved"],
    [place.git("rev-parse", "v1.0.0^{commit}"), "log: current-moved"],
    ["", "log: current-missing"],
  ] as const) {
    if (id === "") place.git("update-ref", "-d", CURRENT);
    else place.git("update-ref", CURRENT, id);
    expect(await disproven(place, "--all")).toEqual([code]);
    expect((await told(place, "list")).versions.find((each: { current: boolean }) => each.current).version).toBe(
      "1.1.0",
    );
  }
  place.git("update-ref", CURRENT, replayed);
  // What writes puts it back, keeps what it found, and stops to say so.
  expect(await refused(place, "create", "--allow-unchanged")).toMatchObject({ code: "E114", exit: 4 });
  expect(place.git("rev-parse", CURRENT)).toBe(now);
  expect(refsOf(place, "refs/kai/conflict")).toMatch(
    new RegExp(`^refs/kai/conflict/\\w{26}/tags/current ${replayed}$`),
  );
  expect(await told(place, "verify")).toMatchObject({ ok: true });
});

test("a tag current that is gone, and its object with it, is made again from the log", async () => {
  const place = await clerk("1.0.0", "1.1.0");
  const now = place.git("rev-parse", CURRENT);
  place.git("update-ref", "-d", CURRENT);
  place.git("prune", "--expire=now");
  expect(await refused(place, "recover")).toMatchObject({ code: "E114", message: expect.stringContaining("was gone") });
  expect(place.git("rev-parse", CURRENT)).toBe(now);
  expect(await told(place, "recover")).toMatchObject({ recovered: [] });
  expect(await told(place, "verify")).toMatchObject({ ok: true });
});

test("a log rolled back below what this clone has seen", async () => {
  const place = await clerk("1.0.0", "1.1.0");
  place.git("update-ref", "refs/kai/log", "refs/kai/log~1");
  place.git(
    "update-ref",
    CURRENT,
    written(place, "tag", `${place.git("cat-file", "blob", "refs/kai/log:tags/current")}\n`),
  );
  place.git("tag", "-d", "v1.1.0");
  const before = refsOf(place);
  expect(await disproven(place)).toEqual(["log: E121"].concat(["v1.0.0: log-not-trusted"]).sort());
  for (const args of [["create", "--allow-unchanged"], ["rollback", "1.0.0"], ["undo"]]) {
    expect(await refused(place, ...args)).toMatchObject({ code: "E121", exit: 1 });
  }
  expect(refsOf(place)).toBe(before);
});

test("a record edited, swapped or removed in the note", async () => {
  const place = await clerk("1.0.0", "1.1.0");
  const [first, second] = ["v1.0.0", "v1.1.0"].map((tag) => place.git("rev-parse", `${tag}^{commit}`)) as [
    string,
    string,
  ];
  const [one, two] = [first, second].map((commit) => place.git("notes", "--ref=kai", "show", commit)) as [
    string,
    string,
  ];
  const note = (commit: string, text: string) => place.git("notes", "--ref=kai", "add", "-f", "-m", text, commit);
  note(first, one.replace('"type":"auto"', '"type":"release"'));
  expect(await disproven(place)).toEqual(["v1.0.0: record-changed"]);
  note(first, two);
  note(second, one);
  expect(await disproven(place)).toEqual(["v1.0.0: record-changed", "v1.1.0: record-changed"]);
  note(first, `${one}\nanybody may add words`);
  note(second, two);
  await readEverything(place);
  place.git("notes", "--ref=kai", "remove", second);
  expect(await disproven(place)).toEqual(["v1.1.0: record-not-fetched"]);
  place.git("update-ref", "-d", "refs/notes/kai");
  expect(await disproven(place)).toEqual(["v1.0.0: record-not-fetched", "v1.1.0: record-not-fetched"]);
});

test("a tag that names a line as its record which is none", async () => {
  const place = await clerk("1.0.0");
  const nothing = createHash("sha256").digest("hex");
  const text = `${place.git("cat-file", "tag", "v1.0.0")}\n`
    .replace(/Kai-Record: \S+/, `Kai-Record: sha256:${nothing}`)
    .replace("tag v1.0.0", "tag v1.5.0");
  place.git("update-ref", "refs/tags/v1.5.0", written(place, "tag", text));
  expect(await disproven(place)).toEqual(["v1.5.0: not-in-log", "v1.5.0: record-changed", "v1.5.0: signature"]);
  expect(await told(place, "show", "1.5.0")).toMatchObject({ record: null, ok: false });
});

test("replaced objects and grafts are looked through", async () => {
  const place = await clerk("1.0.0", "1.1.0");
  const before = await told(place, "verify", "--all", "--deep");
  place.git("replace", place.git("rev-parse", "v1.1.0:logic.py"), written(place, "blob", "print('evil')\n"));
  place.git("replace", "-f", place.git("rev-parse", "v1.1.0^{commit}"), place.git("rev-parse", "v1.0.0^{commit}"));
  place.git("replace", "-f", place.git("rev-parse", "refs/tags/v1.0.0"), place.git("rev-parse", "refs/tags/v1.1.0"));
  place.git("replace", "-f", place.git("rev-parse", "v1.0.0^{tree}"), place.git("rev-parse", "v1.1.0^{tree}"));
  place.write(".git/info/grafts", `${place.git("rev-parse", "refs/kai/log")}\n`);
  expect(await told(place, "verify", "--all", "--deep")).toEqual(before);
});

test("a hostile gpg.program is never started", async () => {
  const place = await clerk("1.0.0");
  const program = path.join(place.dir, ".git", "gpg");
  place.write(".git/gpg", `#!/bin/sh\ntouch "${place.dir}/.git/started"\necho "[GNUPG:] GOODSIG 0 x"\nexit 0\n`);
  chmodSync(program, 0o755);
  for (const key of ["gpg.program", "gpg.openpgp.program", "gpg.ssh.program", "gpg.x509.program"])
    place.git("config", key, program);
  place.git("config", "log.showSignature", "true");
  await readEverything(place);
  await told(place, "create", "--allow-unchanged");
  await told(place, "rollback", "1.0.0");
  expect((await place.run("ls", [".git/started"])).exit).toBe(2);
});
