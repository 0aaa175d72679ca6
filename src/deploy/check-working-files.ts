import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, readdir, readlink } from "node:fs/promises";
import type { Component } from "../agent/component.js";
import { parseLfsPointer } from "../agent/lfs-pointer.js";
import { inParallel } from "../system/in-parallel.js";
import { pathBelow, readablePath } from "../system/path-bytes.js";
import type { IsIgnored } from "../version/ignored-paths.js";
import type { TreeFile } from "../version/manifest.js";
import { type PlainRepository, sha256 } from "./plain-repository.js";
import type { VersionFiles } from "./version-files.js";

export interface FileProblem {
  readonly path: string;
  /** `extra`: the version does not have it. `mode`: only the executable bit differs. */
  readonly problem: "missing" | "changed" | "mode" | "extra";
}

export interface CheckedFiles {
  readonly problems: readonly FileProblem[];
  /** Submodules: their commit is part of the version, their files are not looked at. */
  readonly unchecked: readonly string[];
}

/** What decides how an agent behaves. */
const CHECKED: ReadonlySet<Component> = new Set<Component>(["code", "prompts", "tools", "config"]);

/**
 * Compares the files of logic and configuration in the working tree with the version's blobs, raw. Two differences that git
 * itself makes on checkout are none: line ends (CRLF for LF), and the content that a git LFS pointer names by its SHA-256.
 * Whatever else a filter changes is `changed`. Links are compared and never followed.
 */
export async function checkWorkingFiles(
  repository: PlainRepository,
  version: VersionFiles,
  componentOf: (path: string) => Component,
  isIgnored: IsIgnored,
): Promise<CheckedFiles> {
  const found = await listWorkingFiles(repository.workTree, version.files, isIgnored);
  const isChecked = (path: string, isLink: boolean) => {
    const component = componentOf(readablePath(path));
    // A link of no kind may stand for a folder of code.
    return CHECKED.has(component) || (isLink && component === "assets");
  };
  const problems: FileProblem[] = [];
  const unchecked: string[] = [];
  const tracked = new Set(version.files.map(({ path }) => path));
  for (const { path, mode } of version.files) if (mode === "160000") unchecked.push(readablePath(path));
  const checked = version.files.filter(
    ({ path, mode }) => mode !== "160000" && isChecked(path, mode === "120000" || found.get(path) === "link"),
  );
  await inParallel(checked, async (file) => {
    const problem = await problemOf(repository, file, found.get(file.path), version.digests.get(file.id) ?? "");
    if (problem) problems.push({ path: readablePath(file.path), problem });
  });
  for (const [path, kind] of found) {
    if (!tracked.has(path) && !isIgnored(path) && isChecked(path, kind === "link")) {
      problems.push({ path: readablePath(path), problem: "extra" });
    }
  }
  problems.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { problems, unchecked };
}

type Kind = "file" | "link" | "other";

/** Everything below `root` but ignored folders in which the version has nothing, submodules, and the repository itself. */
async function listWorkingFiles(
  root: string,
  files: readonly TreeFile[],
  isIgnored: IsIgnored,
): Promise<Map<string, Kind>> {
  const submodules = new Set(files.filter(({ mode }) => mode === "160000").map(({ path }) => path));
  const folders = new Set(files.flatMap(({ path }) => foldersOf(path)));
  const found = new Map<string, Kind>();
  const queue = [""];
  for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
    for (const entry of await readdir(pathBelow(root, folder), { withFileTypes: true, encoding: "buffer" })) {
      const path = folder + entry.name.toString("latin1");
      if (path === ".git" || submodules.has(path)) continue;
      if (entry.isDirectory()) {
        if (folders.has(`${path}/`) || !isIgnored(`${path}/`)) queue.push(`${path}/`);
      } else {
        found.set(path, entry.isFile() ? "file" : entry.isSymbolicLink() ? "link" : "other");
      }
    }
  }
  return found;
}

/** `a/b/c` -> `a/`, `a/b/`. */
const foldersOf = (path: string): string[] => [...path.matchAll(/\//g)].map((slash) => path.slice(0, slash.index + 1));

async function problemOf(
  repository: PlainRepository,
  file: TreeFile,
  kind: Kind | undefined,
  digest: string,
): Promise<FileProblem["problem"] | undefined> {
  if (kind === undefined) return "missing";
  const place = pathBelow(repository.workTree, file.path);
  if (file.mode === "120000") {
    if (kind !== "link") return "changed";
    return sha256(await readlink(place, { encoding: "buffer" })) === digest ? undefined : "changed";
  }
  if (kind !== "file") return "changed";
  // The listing said that it is a plain file; it must still be one now.
  const handle = await open(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!(await isContentOf(repository, file, handle, digest))) return "changed";
    const executable = ((await handle.stat()).mode & 0o100) !== 0;
    return repository.keepsModes && executable !== (file.mode === "100755") ? "mode" : undefined;
  } finally {
    await handle.close();
  }
}

/** Files larger than this are read only where their size is one that the blob allows. */
const LARGE = 16 * 1024 * 1024;

/** What Node reads at once: 2 GiB less a byte. */
const LARGEST_READ = 2 ** 31 - 1;

async function isContentOf(
  repository: PlainRepository,
  file: TreeFile,
  handle: FileHandle,
  digest: string,
): Promise<boolean> {
  const { size } = await handle.stat();
  if (size > LARGE) {
    const blob = await repository.read(file.id, "blob");
    const pointer = parseLfsPointer(blob);
    if (pointer?.size === size) return sha256(blob) === digest && pointer.oid === (await digestOf(handle));
    // Other line ends make a file twice as long at most.
    if (size < blob.length || size > Math.min(2 * blob.length, LARGEST_READ)) return false;
  }
  const content = await handle.readFile();
  const actual = sha256(content);
  if (actual === digest) return true;
  if (content.includes("\r\n") && !content.includes(0)) {
    const unix = Buffer.from(content.toString("latin1").replaceAll("\r\n", "\n"), "latin1");
    if (sha256(unix) === digest) return true;
  }
  const blob = await repository.read(file.id, "blob");
  return sha256(blob) === digest && parseLfsPointer(blob)?.oid === `sha256:${actual}`;
}

/** `sha256:` and the digest of a file that may be too large to be held. */
async function digestOf(handle: FileHandle): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of handle.createReadStream({ start: 0, autoClose: false })) hash.update(chunk as Buffer);
  return `sha256:${hash.digest("hex")}`;
}
