import { execFileSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { openRepository } from "../../src/git/repository.js";
import { checkOutAside } from "../../src/operation/check-out-aside.js";
import { scratch } from "../support/scratch.js";

/** A repository with so many files in nested folders, and what git itself checks out of it. */
function repositoryOf(count: number, extra: (write: (name: string, text: string) => void, dir: string) => void) {
  const { dir, env } = scratch();
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "core.safecrlf=false", ...args], { cwd: dir, env }).toString("latin1");
  const write = (name: string, text: string) => {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    writeFileSync(path.join(dir, name), text);
  };
  git("init", "--quiet");
  for (let index = 0; index < count; index++)
    write(`src/part-${index % 7}/deep/f${index}.txt`, `line ${index}\nnext\n`);
  extra(write, dir);
  git("add", "--all", "--force");
  git("commit", "--quiet", "-m", "all");
  const paths = git("ls-files", "-z").split("\0").slice(0, -1);
  const aside = path.join(path.dirname(dir), "aside");
  const plain = path.join(path.dirname(dir), "plain");
  for (const folder of [aside, plain]) mkdirSync(folder);
  git("checkout-index", "--all", "--prefix", `${plain}/`);
  return { dir, env, paths, aside, plain };
}

/** Each file's permissions and bytes, or where a link leads to. */
const filesBelow = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true, encoding: "latin1" as "utf8" }).flatMap((entry) => {
      if (entry.isDirectory()) return [];
      const file = Buffer.from(`${entry.parentPath}/${entry.name}`, "latin1");
      const mode = (lstatSync(file).mode & 0o777).toString(8);
      const content = entry.isSymbolicLink() ? readlinkSync(file) : readFileSync(file, "latin1");
      return [[file.toString("latin1").slice(folder.length), `${mode} ${content}`]];
    }),
  );

test("what several processes write is what git alone would have: attributes, links, permissions, names of bytes", async () => {
  const { dir, env, paths, aside, plain } = repositoryOf(300, (write, root) => {
    write(".gitattributes", "*.txt text eol=crlf\n");
    write("src/part-3/.gitattributes", "*.txt -text\n.gitattributes text eol=crlf\n");
    write("bin/run", "#!/bin/sh\n");
    chmodSync(path.join(root, "bin/run"), 0o755);
    symlinkSync("src/part-1", path.join(root, "link"));
    writeFileSync(Buffer.from(`${root}/caf\xe9`, "latin1"), "coffee\n");
  });
  await checkOutAside(await openRepository(dir, env), paths, aside, {});
  const written = filesBelow(aside);
  expect(Object.keys(written)).toHaveLength(305);
  expect(written).toEqual(filesBelow(plain));
  expect(written["/src/part-1/deep/f1.txt"]).toContain("line 1\r\nnext\r\n");
});

test("where one of them fails nobody is at work any more when that is told", async () => {
  const { dir, env, paths, aside } = repositoryOf(200, () => {});
  const broken = paths.map((name, index) => (index === 30 ? "src/part-0" : name));
  // A folder cannot be written as a file where files lie in it.
  mkdirSync(path.join(aside, "src"));
  writeFileSync(path.join(aside, "src/part-0"), "in the way");
  await expect(checkOutAside(await openRepository(dir, env), broken, aside, {})).rejects.toThrow();
  const before = filesBelow(aside);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(filesBelow(aside)).toEqual(before);
});
