import { lstatSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Repository } from "./repository.js";

/**
 * What a ref names, read from its file or from packed-refs without a process; null where it is not there, undefined where git has to be
 * asked. Loose ones are looked at first, as git does: one that is packed meanwhile is in one of the two.
 */
export function readPlainRef({ plain, commonDir }: Repository, ref: string): string | null | undefined {
  if (!plain || !ref.startsWith("refs/")) return undefined;
  const loose = looseRef(path.join(commonDir, ref));
  if (loose !== null) return loose;
  const refs = packedRefs(commonDir);
  const at = refs?.indexOf(` ${ref}\n`) ?? -1;
  if (refs === undefined || at < 0) return refs && null;
  return idIn(refs.toString("latin1", at - ID_LENGTH, at));
}

/** Whether there is no ref below `folder`, such as `refs/kai/snapshots`, seen as above; false where git has to be asked. */
export function lacksRefs({ plain, commonDir }: Repository, folder: string): boolean {
  return plain && isEmpty(path.join(commonDir, folder)) && packedRefs(commonDir)?.includes(` ${folder}/`) === false;
}

const ID_LENGTH = 40;

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

function packedRefs(commonDir: string): Buffer | undefined {
  try {
    return readFileSync(path.join(commonDir, "packed-refs"));
  } catch (cause) {
    return isMissing(cause) ? Buffer.alloc(0) : undefined;
  }
}

/** Not there, or below a file: another ref lies across its way. */
const isMissing = (cause: unknown): boolean =>
  ["ENOENT", "ENOTDIR"].includes((cause as NodeJS.ErrnoException).code ?? "");
