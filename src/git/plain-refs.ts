import { lstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import type { Repository } from "./repository.js";

/**
 * What a ref names, read from its file or from packed-refs without a process; null where it is not there, undefined where git has to be
 * asked. Loose ones are looked at first, as git does: one that is packed meanwhile is in one of the two.
 */
export function readPlainRef({ plain, commonDir }: Repository, ref: string): string | null | undefined {
  if (!plain || !/^refs\/[\w./-]+$/.test(ref) || ref.includes("..")) return undefined;
  const loose = looseRef(path.join(commonDir, ref));
  if (loose !== null) return loose;
  const lines = packedRefs(commonDir);
  const [line, another] = lines?.filter((each) => each.endsWith(` ${ref}`)) ?? [];
  if (lines === undefined || another !== undefined) return undefined;
  return line === undefined ? null : idIn(line.slice(0, ID_LENGTH));
}

/** Whether there is no ref below `folder`, such as `refs/kai/snapshots`, seen as above; false where git has to be asked. */
export function lacksRefs({ plain, commonDir }: Repository, folder: string): boolean {
  if (!plain || !isEmpty(path.join(commonDir, folder))) return false;
  return packedRefs(commonDir)?.some((each) => each.includes(` ${folder}/`)) === false;
}

const ID_LENGTH = 40;

/** git reads a larger file sooner than it is looked through here. */
const LARGEST = 64 * 1024;

/** As git writes it, see git-pack-refs(1): a header, and of each ref a line, and one of what a tag points at. */
const PACKED = /^(?:# pack-refs with:[^\n]*\n)?(?:[0-9a-f]{40} refs\/[^\s]+\n(?:\^[0-9a-f]{40}\n)?)*$/;

/** Plain repositories are of SHA-1. Undefined for what is no id: a symbolic ref, or a damaged one. */
const idIn = (text: string): string | undefined => /^[0-9a-f]{40}(?=\s*$)/.exec(text)?.[0];

function looseRef(file: string): string | null | undefined {
  try {
    const found = lstatSync(file, { throwIfNoEntry: false });
    if (found === undefined || found.isDirectory()) return null;
    return found.isFile() ? idIn(readFileSync(file, "latin1")) : undefined;
  } catch (cause) {
    return isMissing(cause) ? null : undefined;
  }
}

function isEmpty(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0;
  } catch (cause) {
    return isMissing(cause);
  }
}

/** Its lines; undefined for a file that is large, or in which something else stands. */
function packedRefs(commonDir: string): readonly string[] | undefined {
  try {
    const file = path.join(commonDir, "packed-refs");
    if (statSync(file).size > LARGEST) return undefined;
    const text = readFileSync(file, "latin1");
    return PACKED.test(text) ? text.split("\n").filter((line) => line !== "") : undefined;
  } catch (cause) {
    return isMissing(cause) ? [] : undefined;
  }
}

/** Not there, or below a file: another ref lies across its way. */
const isMissing = (cause: unknown): boolean =>
  ["ENOENT", "ENOTDIR"].includes((cause as NodeJS.ErrnoException).code ?? "");
