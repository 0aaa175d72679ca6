import { readdir, readFile, rm, rmdir } from "node:fs/promises";
import path from "node:path";
import { makeFolder, writeDurably } from "../system/durable-file.js";
import { findStat } from "../system/path-bytes.js";
import { canonicalJson } from "./canonical-json.js";

/** A path (latin1) of the working tree where an operation put something in place that git ignores. */
export interface KeptOutput {
  readonly path: string;
  /** False where what was in the way stayed. */
  readonly placed: boolean;
}

const MANIFEST = "outputs.json";

/** Where what an operation replaced is kept, as a file or folder by its number; `replaced` is the folder of them all. */
export const keptFolder = (replaced: string, operation: string): string => path.join(replaced, operation);

export const keptOutput = (folder: string, number: number): string => path.join(folder, String(number));

export async function writeKeptOutputs(folder: string, outputs: readonly KeptOutput[]): Promise<void> {
  await makeFolder(folder);
  // Of a run that was cut short while it wrote this.
  for (const name of await readdir(folder)) {
    if (name.startsWith(`${MANIFEST}.`)) await rm(path.join(folder, name), { force: true });
  }
  await writeDurably(path.join(folder, MANIFEST), canonicalJson(outputs));
}

/** Undefined where the operation replaced nothing that is kept. */
export async function readKeptOutputs(folder: string): Promise<readonly KeptOutput[] | undefined> {
  const text = await readFile(path.join(folder, MANIFEST), "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT" && cause.code !== "ENOTDIR") throw cause;
    return undefined;
  });
  return text === undefined ? undefined : (JSON.parse(text) as readonly KeptOutput[]);
}

/** Which of them have something that was replaced: by their number, where it is kept. */
export async function listKept(folder: string): Promise<{ readonly path: string; readonly kept: string }[]> {
  const kept: { path: string; kept: string }[] = [];
  for (const [number, { path: name }] of ((await readKeptOutputs(folder)) ?? []).entries()) {
    const file = keptOutput(folder, number);
    if (await findStat(file)) kept.push({ path: name, kept: file });
  }
  return kept;
}

/** Forgets an operation's outputs once none of them is kept any more; else it stays as it is. */
export async function forgetEmptied(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  if (names.some((name) => /^\d/.test(name))) return;
  await rm(path.join(folder, MANIFEST), { force: true });
  await rmdir(folder).catch(() => {});
}
