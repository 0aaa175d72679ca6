import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { lacksRefs, readPlainRef } from "../../src/git/plain-refs.js";
import { openRepository, type Repository } from "../../src/git/repository.js";
import { readRef } from "../../src/operation/read-ref.js";
import { scratch } from "../support/scratch.js";

async function withCommit() {
  const { dir, env } = scratch();
  const git = (...args: string[]): string => execFileSync("git", args, { cwd: dir, env, encoding: "utf8" }).trimEnd();
  git("init", "-q");
  git("commit", "-q", "--allow-empty", "-m", "x");
  const repository = await openRepository(dir, env);
  return { git, repository, id: git("rev-parse", "HEAD"), at: (ref: string) => path.join(dir, ".git", ref) };
}

/** Read as files, by us, and by git. */
async function read(repository: Repository, ref: string): Promise<unknown[]> {
  return [
    readPlainRef(repository, ref),
    await readRef(repository, ref),
    await readRef({ ...repository, plain: false }, ref),
  ];
}

test("a ref is read as git reads it: loose, packed, packed and moved since, gone, and not there", async () => {
  const { git, repository, id } = await withCommit();
  const ref = "refs/kai/runs";
  expect(await read(repository, ref)).toEqual([null, null, null]);
  git("update-ref", ref, id);
  expect(await read(repository, ref)).toEqual([id, id, id]);
  git("tag", "-a", "-m", "peeled in packed-refs", "v1");
  git("update-ref", `${ref}s/below`, id);
  git("pack-refs", "--all");
  for (const each of [ref, `${ref}s/below`]) expect(await read(repository, each)).toEqual([id, id, id]);
  const tag = git("rev-parse", "refs/tags/v1");
  expect(await read(repository, "refs/tags/v1")).toEqual([tag, tag, tag]);
  const next = git("commit-tree", "-m", "next", "HEAD^{tree}");
  git("update-ref", ref, next);
  expect(await read(repository, ref)).toEqual([next, next, next]);
  git("update-ref", "-d", ref);
  expect(await read(repository, ref)).toEqual([null, null, null]);
  for (const absent of ["refs/kai/run", "refs/kai", "refs/kai/runs/below", "refs/heads/nowhere"]) {
    expect(await read(repository, absent), absent).toEqual([null, null, null]);
  }
});

test("what is no plain file with an id is git's to read, and so is all in a repository that is not plain", async () => {
  const { git, repository, id, at } = await withCommit();
  git("symbolic-ref", "refs/kai/other", "refs/heads/main");
  git("update-ref", "refs/heads/main", id);
  expect(await read(repository, "refs/kai/other")).toEqual([undefined, id, id]);
  rmSync(at("refs/kai/other"));
  symlinkSync("../heads/main", at("refs/kai/other"));
  expect(await read(repository, "refs/kai/other")).toEqual([undefined, id, id]);
  writeFileSync(at("refs/kai/damaged"), "no id\n");
  expect(readPlainRef(repository, "refs/kai/damaged")).toBeUndefined();
  expect(readPlainRef(repository, "HEAD")).toBeUndefined();
  expect(readPlainRef({ ...repository, plain: false }, "refs/heads/main")).toBeUndefined();
});

test("packed refs are believed as a whole, as git writes them, or not at all", async () => {
  const { git, repository, id, at } = await withCommit();
  git("update-ref", "refs/kai/runs", id);
  git("tag", "-a", "-m", "peeled", "v1");
  git("pack-refs", "--all");
  const whole = readFileSync(at("packed-refs"), "latin1");
  const ref = "refs/kai/runs";
  expect(readPlainRef(repository, ref)).toBe(id);
  const damaged = [
    "<<<<<<< HEAD\n",
    `${whole}junk\n`,
    whole.slice(0, -1),
    whole.replace(id, `${id}42`),
    whole.replace(` ${ref}`, `\t${ref}`),
    `${whole}${id} ${ref}\n`,
    `${whole}${`${id} refs/tags/filler\n`.repeat(2000)}`,
  ];
  for (const text of damaged) {
    writeFileSync(at("packed-refs"), text);
    expect(readPlainRef(repository, ref), text.slice(0, 200)).toBeUndefined();
    expect(lacksRefs(repository, "refs/kai/snapshots"), text.slice(0, 200)).toBe(
      text.startsWith(whole) && text.endsWith(`${ref}\n`),
    );
  }
  for (const name of ["refs/kai/../heads/main", "refs/heads/main^{commit}", "refs/heads/main~0"]) {
    expect(readPlainRef(repository, name), name).toBeUndefined();
  }
});

test("it is seen that a folder of refs is empty, and never that it is where one is packed or loose", async () => {
  const { git, repository, id, at } = await withCommit();
  const folder = "refs/kai/snapshots";
  expect(lacksRefs(repository, folder)).toBe(true);
  expect(lacksRefs({ ...repository, plain: false }, folder)).toBe(false);
  mkdirSync(at(folder), { recursive: true });
  expect(lacksRefs(repository, folder)).toBe(true);
  git("update-ref", `${folder}/a`, id);
  expect(lacksRefs(repository, folder)).toBe(false);
  git("pack-refs", "--all");
  rmSync(at(folder), { recursive: true, force: true });
  expect(lacksRefs(repository, folder)).toBe(false);
  git("update-ref", "-d", `${folder}/a`);
  git("update-ref", "refs/kai/snapshots-of-others", id);
  git("pack-refs", "--all");
  expect(lacksRefs(repository, folder)).toBe(true);
});
