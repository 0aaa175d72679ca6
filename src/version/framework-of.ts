import path from "node:path";
import { detectFramework } from "../agent/detect-framework.js";
import { ObjectReader } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import { readPlainFile } from "./read-plain-file.js";

/** A detector reads no more than this of a file. */
const READ_LIMIT = 256 * 1024;

/** The start of a file that a detector names; undefined for what is no regular file. */
export async function readStart(workTree: string, name: string): Promise<string | undefined> {
  const found = await readPlainFile(path.join(workTree, name), READ_LIMIT);
  return found.kind === "file" ? found.bytes.toString() : undefined;
}

/** What the agent of these files is built with, by its working tree; in a bare repository by its HEAD. */
export async function frameworkOf(repository: Repository, names: readonly string[]): Promise<string> {
  const { workTree } = repository;
  if (workTree !== undefined) return (await detectFramework(names, (name) => readStart(workTree, name))).framework;
  const reader = new ObjectReader(repository);
  try {
    const read = async (name: string) => {
      const blob = name.includes("\n") ? undefined : await reader.find(`HEAD:${name}`);
      return blob?.type === "blob" ? blob.content.subarray(0, READ_LIMIT).toString() : undefined;
    };
    return (await detectFramework(names, read)).framework;
  } finally {
    reader.close();
  }
}
