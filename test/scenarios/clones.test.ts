import path from "node:path";
import { expect, test } from "vitest";
import { agentWithVersions } from "../support/agent.js";
import { doEverything, type Place, placeAt, readEverything, refsOf, refused, told } from "./place.js";

interface Remote extends Place {
  /** Clones it beside itself, with the given options. */
  clone(name: string, ...options: string[]): Place;
}

async function remote(...versions: string[]): Promise<Remote> {
  const agent = await agentWithVersions(...versions);
  const place = placeAt(agent.dir, agent.env);
  const clone = (name: string, ...options: string[]) => {
    const dir = path.join(path.dirname(agent.dir), name);
    place.git("clone", "--quiet", ...options, `file://${agent.dir}`, dir);
    return placeAt(dir, agent.env);
  };
  return { ...place, clone };
}

/** What says the same in every clone. */
async function summary(place: Place) {
  const [list, current, verified] = [
    await told(place, "list"),
    await told(place, "current"),
    await told(place, "verify", "--all"),
  ];
  const versions = (all: { version: string; tag: string; hash: string; current: boolean }[]) =>
    all.map(({ version, tag, hash, current }) => ({ version, tag, hash, current }));
  return { list: versions(list.versions), current, verified: verified.versions, root: verified.log.root };
}

test("a mirror clone is a complete backup", async () => {
  const original = await remote("1.0.0", "1.1.0");
  await told(original, "rollback", "1.0.0");
  const mirror = original.clone("mirror.git", "--mirror");
  expect(refsOf(mirror)).toBe(refsOf(original));
  const unpinned = await told(mirror, "verify", "--all", "--deep");
  expect(unpinned).toMatchObject({ ok: true, log: { problems: [{ code: "root-not-pinned" }] } });
  expect(await told(mirror, "init")).toMatchObject({ outcome: "adopted", trustRoot: { origin: "first-use" } });
  expect(await summary(mirror)).toEqual(await summary(original));
  expect(refsOf(mirror)).toBe(refsOf(original));
  await told(original, "undo");
  expect(await told(mirror, "init")).toMatchObject({ outcome: "updated", remotes: [] });
  expect(await told(mirror, "current")).toEqual(await told(original, "current"));
});

test("a plain clone lacks the records and says so; init adopts the log, and then all agree", async () => {
  const original = await remote("1.0.0", "1.1.0");
  const clone = original.clone("clone");
  const before = await clone.kai("verify", "--all");
  expect(before).toMatchInlineSnapshot(`
    ✗ v1.0.0  good  Ada Agent <ada@example.com>
        The log that made v1.0.0 is not here.
        The note with the record of v1.0.0 is not here.
    ✗ v1.1.0  good  Ada Agent <ada@example.com>
        The log that made v1.1.0 is not here.
        The note with the record of v1.1.0 is not here.
    log  This clone lacks the log; \`git kai-version init\` fetches and adopts it.
    ✗ 0 of 2 versions are proven, 2 failed.
    [exit 1]
  `);
  expect(await refused(clone, "create")).toMatchObject({ code: "E105" });
  expect(await refused(clone, "rollback", "1.0.0")).toMatchObject({ code: "E105" });
  expect((await clone.kai("list")).stderr).toContain("This clone lacks the log");
  const adopted = await told(clone, "init");
  expect(adopted).toMatchObject({ outcome: "adopted", agentId: "ai.example.clerk", remotes: ["origin"], written: [] });
  expect(await summary(clone)).toEqual(await summary(original));
  expect(await told(clone, "init")).toMatchObject({ outcome: "present" });
  clone.git("fetch", "--quiet");
  await doEverything(clone, "1.1.0", "1.2.0");
});

test("stock git fetch brings what is new without moving what is ours", async () => {
  const original = await remote("1.0.0");
  const clone = original.clone("clone");
  await told(clone, "init");
  const seen = refsOf(clone, "refs/kai/log", "refs/notes/kai");
  original.write("logic.py", "print('new')\n");
  original.commit("feat: new");
  await told(original, "create");
  clone.git("fetch", "--quiet");
  expect(refsOf(clone, "refs/kai/log", "refs/notes/kai")).toBe(seen);
  expect(clone.git("rev-parse", "refs/kai/remotes/origin/log")).toBe(original.git("rev-parse", "refs/kai/log"));
  expect(clone.git("rev-parse", "refs/kai/remotes/origin/current")).toBe(
    original.git("rev-parse", "refs/tags/current"),
  );
  expect(await told(clone, "current")).toMatchObject({ version: "1.0.0" });
  clone.git("pull", "--quiet");
  expect(await told(clone, "init")).toMatchObject({ outcome: "updated", trustRoot: { origin: "first-use" } });
  expect(await told(clone, "current")).toEqual(await told(original, "current"));
  expect(await told(clone, "verify", "--all")).toMatchObject({ ok: true });
  expect(await told(clone, "init")).toMatchObject({ outcome: "present" });
  expect(await told(clone, "create", "--allow-unchanged")).toMatchObject({ parent: "1.1.0" });
  // What is here and was not published is no reason to go back; two logs that went on apart are not joined.
  expect(await told(clone, "init")).toMatchObject({ outcome: "present" });
  await told(original, "rollback", "1.0.0");
  const before = refsOf(clone, "refs/kai/log", "refs/notes/kai", "refs/tags");
  expect(await refused(clone, "init")).toMatchObject({ code: "E121", message: expect.stringContaining("apart") });
  expect(refsOf(clone, "refs/kai/log", "refs/notes/kai", "refs/tags")).toBe(before);
});

test("an adoption that was cut short, or whose tag current was moved, is finished by the next init", async () => {
  const original = await remote("1.0.0");
  const clone = original.clone("clone");
  clone.git("fetch", "--quiet", "origin", "refs/kai/log:refs/kai/log");
  clone.git("update-ref", "refs/tags/current", "HEAD");
  expect(await told(clone, "init")).toMatchObject({ outcome: "adopted", remotes: ["origin"] });
  expect(refsOf(clone, "refs/kai/conflict")).toContain(clone.git("rev-parse", "HEAD"));
  expect(await summary(clone)).toEqual(await summary(original));
  // Nothing to fetch needs no remote.
  clone.git("remote", "set-url", "origin", "file:///nowhere");
  expect(await told(clone, "init")).toMatchObject({ outcome: "present" });
});

test("a shallow clone says what it cannot do", async () => {
  const original = await remote("1.0.0", "1.1.0");
  const clone = original.clone("shallow", "--depth=1");
  await told(clone, "init");
  await readEverything(clone);
  expect((await told(clone, "status")).unversioned).toBeNull();
  expect((await clone.kai("status")).stdout).toContain("shallow clone");
  const compared = await clone.kai("compare", "1.0.0", "1.1.0");
  expect(compared.stdout).toContain("1.0.0 -> 1.1.0  the history is shallow: how far apart they are is not known");
  expect(compared.stderr).toContain("`git fetch --unshallow` brings them.");
  clone.write("logic.py", "print('new')\n");
  clone.commit("feat: new");
  expect(await clone.kai("create")).toMatchInlineSnapshot(`
    Error E125: This is a shallow clone: commits that the next number depends on may be missing.
    Hint: \`git fetch --unshallow\` brings them.
    [exit 1]
  `);
  expect((await refused(clone, "next")).code).toBe("E125");
  clone.git("fetch", "--quiet", "--unshallow");
  expect(await told(clone, "create")).toMatchObject({ version: "1.2.0" });
});

test("a log that was here and is gone is not founded anew", async () => {
  const original = await remote("1.0.0");
  original.git("update-ref", "-d", "refs/kai/log");
  expect(await original.kai("verify", "--all")).toMatchInlineSnapshot(`
    ✗ v1.0.0  good  Ada Agent <ada@example.com>
        The log that made v1.0.0 is not here.
    log  The log that this clone has seen is gone; fetch it from a complete clone.
    log  from sha256:<id> (founded)
    ✗ 0 of 1 version is proven, 1 failed.
    [exit 1]
  `);
  const before = refsOf(original);
  expect(await refused(original, "create", "--allow-unchanged")).toMatchObject({ code: "E121", exit: 1 });
  expect(await refused(original, "init")).toMatchObject({ code: "E121", exit: 1 });
  expect(refsOf(original)).toBe(before);
});

test("a clone takes its log back from a remote, if it is the one that it knows", async () => {
  const original = await remote("1.0.0", "1.1.0");
  const mirror = original.clone("mirror.git", "--mirror");
  const lost = original.git("rev-parse", "refs/kai/log");
  original.git("update-ref", "-d", "refs/kai/log");
  original.git("remote", "add", "origin", mirror.dir);
  // The remote's log was rolled back meanwhile, and `current` with it.
  mirror.git("update-ref", "refs/kai/log", "refs/kai/log~1");
  expect(await refused(original, "init")).toMatchObject({
    code: "E121",
    message: expect.stringContaining("rolled back"),
  });
  mirror.git("update-ref", "refs/kai/log", lost);
  expect(await told(original, "init")).toMatchObject({ outcome: "adopted", trustRoot: { origin: "founded" } });
  expect(original.git("rev-parse", "refs/kai/log")).toBe(lost);
});
