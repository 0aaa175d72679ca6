import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import type { TreePath } from "../../src/git/change-tree.js";
import { openRepository } from "../../src/git/repository.js";
import { scratch } from "../support/scratch.js";

/** An empty repository with two blobs, and what git makes of changes by its own index. */
export async function ground() {
  const { dir, env } = scratch();
  const git = (args: readonly string[], input: string | Buffer = "", more: NodeJS.ProcessEnv = {}): string =>
    execFileSync("git", [...args], {
      cwd: dir,
      input,
      env: { ...env, ...more },
      encoding: "utf8",
      stdio: "pipe",
    }).trim();
  git(["init", "--quiet"]);
  const byIndex = (base: string | null, changed: readonly TreePath[]): string => {
    const own = { GIT_INDEX_FILE: path.join(dir, "index-of-the-test") };
    rmSync(own.GIT_INDEX_FILE, { force: true });
    git(base === null ? ["read-tree", "--empty"] : ["read-tree", base], "", own);
    const sorted = [...changed].sort((a, b) => Number(b.mode === "0") - Number(a.mode === "0"));
    const lines = sorted.map(({ path: name, mode, id }) =>
      mode === "0" ? `0 ${"0".repeat(40)}\t${name}\0` : `${mode} ${id}\t${name}\0`,
    );
    git(["update-index", "--replace", "-z", "--index-info"], Buffer.from(lines.join(""), "latin1"), own);
    return git(["write-tree"], "", own);
  };
  const repository = await openRepository(dir, env);
  return { git, byIndex, repository, blobs: ["one", "two"].map((text) => git(["hash-object", "-w", "--stdin"], text)) };
}

/** Names that sort one way as files and another way as folders, and some that are no UTF-8. */
const NAME = fc.constantFrom("a", "a.b", "a0", "a-", "b", "\xff\xfe", " ", "c d");
export const PATH = fc.array(NAME, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
const FILE = fc.tuple(fc.constantFrom("100644", "100755", "120000"), fc.nat(1));

/** Files of which none lies below another one. */
export const FILES = fc.array(fc.tuple(PATH, FILE), { maxLength: 12 }).map((files) => {
  const taken = new Map<string, readonly [string, number]>();
  for (const [name, file] of files) {
    const clash = [...taken.keys()].some((each) => each.startsWith(`${name}/`) || name.startsWith(`${each}/`));
    if (!clash) taken.set(name, file);
  }
  return taken;
});

export const pathsOf = (files: ReadonlyMap<string, readonly [string, number]>, blobs: readonly string[]): TreePath[] =>
  [...files].map(([name, [mode, blob]]) => ({ path: name, mode, id: blobs[blob] ?? "" }));
