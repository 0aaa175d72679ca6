import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Repository } from "./repository.js";
import { runGit } from "./run-git.js";

export interface AttributesFile {
  /** Bytes as latin1 text, as are all paths here. */
  readonly path: string;
  /** Of its blob. */
  readonly id: string;
}

/** The attribute `filter` that paths have by these .gitattributes files and what this clone adds, as git says it: `unspecified`, say. */
export async function filtersOf(
  repository: Repository,
  files: readonly AttributesFile[],
  paths: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const folder = await mkdtemp(path.join(tmpdir(), "kai-attributes-"));
  try {
    const env = { GIT_INDEX_FILE: path.join(folder, "index") };
    const entries = files.map((file) => `100644 ${file.id}\t${file.path}\0`).join("");
    await runGit(repository, ["update-index", "-z", "--index-info"], { env, input: Buffer.from(entries, "latin1") });
    const asked = Buffer.from(paths.map((each) => `${each}\0`).join(""), "latin1");
    const out = await runGit(repository, ["check-attr", "--cached", "--stdin", "-z", "filter"], { env, input: asked });
    const words = out.toString("latin1").split("\0");
    return new Map(paths.map((each, index) => [each, words[index * 3 + 2] ?? ""]));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
