import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openRepository } from "../../src/git/repository.js";
import { HeldRoots } from "../../src/operation/held-roots.js";
import { scratch } from "../support/scratch.js";

/** Two clones that deploy to `root`, which is not there yet. */
async function twoClones(request: { waitMs?: number; interrupted?: AbortSignal } = { waitMs: 0 }) {
  const { dir, env } = scratch();
  const clone = async (name: string) => {
    execFileSync("git", ["init", "--quiet", name], { cwd: dir, env });
    const held = new HeldRoots(await openRepository(path.join(dir, name), env), request);
    onTestFinished(() => held.release());
    return held;
  };
  return { dir, root: path.join(dir, "some/root"), one: await clone("one"), other: await clone("other") };
}

test("a root is held by one, and by that one as often as it likes", async () => {
  const { dir, root, one, other } = await twoClones();
  await one.hold(root, { makes: true });
  await one.hold(root);
  const refused = await other.hold(root).catch((cause) => cause);
  expect(refused).toMatchObject({
    code: "E113",
    message: `Another operation is under way: one of ${dir}/one (process ${process.pid}).`,
    hint: expect.stringContaining(`${root}/.kai-lock`),
  });
  await one.release();
  await other.hold(root, { makes: true });
});

test("who waits has the root as soon as it is let go of, also where it went meanwhile and is made again", async () => {
  const { root, one, other } = await twoClones({ waitMs: 60_000 });
  await one.hold(root, { makes: true });
  let isHeld = false;
  const waiting = other.hold(root, { makes: true }).then(() => {
    isHeld = true;
  });
  await expect.poll(() => execFileSync("cat", ["/proc/locks"]).toString()).toMatch(/-> FLOCK/);
  expect(isHeld).toBe(false);
  await one.release();
  await waiting;
  expect(readFileSync(path.join(root, ".kai-lock"), "utf8")).toContain("/other ");
});

test("nothing is left of a root in which nothing came to be, and all of one that was there or has something in it", async () => {
  const { dir, root, one } = await twoClones();
  await one.hold(root, { makes: true });
  await one.release();
  expect(existsSync(path.join(dir, "some"))).toBe(false);
  await one.hold(root);
  expect(existsSync(path.join(dir, "some"))).toBe(false);
  await one.hold(root, { makes: true });
  mkdirSync(path.join(root, "versions"));
  await one.release();
  expect(readdirSync(root)).toEqual(["versions"]);
  mkdirSync(path.join(dir, "empty"));
  await one.hold(path.join(dir, "empty"), { makes: true });
  await one.release();
  expect(readdirSync(path.join(dir, "empty"))).toEqual([]);
});

test("who waits is interrupted at once", async () => {
  const interruption = new AbortController();
  const { root, one, other } = await twoClones({ waitMs: 60_000, interrupted: interruption.signal });
  await one.hold(root, { makes: true });
  const waiting = other.hold(root);
  interruption.abort(new Error("Enough."));
  await expect(waiting).rejects.toThrow("Enough.");
});

test("a link in place of the lock is not followed", async () => {
  const { dir, root, one } = await twoClones();
  mkdirSync(root, { recursive: true });
  writeFileSync(path.join(dir, "theirs"), "theirs");
  symlinkSync(path.join(dir, "theirs"), path.join(root, ".kai-lock"));
  await expect(one.hold(root)).rejects.toMatchObject({ code: "E118" });
  expect(readFileSync(path.join(dir, "theirs"), "utf8")).toBe("theirs");
});

test("a root that is a link to nowhere is for others to complain of", async () => {
  const { dir, one } = await twoClones();
  symlinkSync("nowhere", path.join(dir, "link"));
  await one.hold(path.join(dir, "link"), { makes: true });
  await one.release();
});
