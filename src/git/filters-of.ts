import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import type { Repository } from "./repository.js";
import { runGit } from "./run-git.js";

export interface AttributesFile {
  /** Bytes as latin1 text, as are all paths here. */
  readonly path: string;
  /** Of its blob. */
  readonly id: string;
}

/**
 * The attribute `filter` that paths have by these .gitattributes files and what this clone adds, as git says it: `unspecified`, say.
 * `scratch` is a folder that is made for it and removed; what is there already is what a process that was killed has left.
 */
export async function filtersOf(
  repository: Repository,
  files: readonly AttributesFile[],
  paths: readonly string[],
  scratch: string,
): Promise<ReadonlyMap<string, string>> {
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { mode: 0o700 });
  try {
    const env = { GIT_INDEX_FILE: path.join(scratch, "index") };
    const entries = files.map((file) => `100644 ${file.id}\t${file.path}\0`).join("");
    await runGit(repository, ["update-index", "-z", "--index-info"], { env, input: Buffer.from(entries, "latin1") });
    const asked = Buffer.from(paths.map((each) => `${each}\0`).join(""), "latin1");
    const out = await runGit(repository, ["check-attr", "--cached", "--stdin", "-z", "filter"], { env, input: asked });
    const words = out.toString("latin1").split("\0");
    return new Map(paths.map((each, index) => [each, words[index * 3 + 2] ?? ""]));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
