import { readlink } from "node:fs/promises";
import { maskBytes, StreamSearch } from "../runs/redact.js";
import type { SecretMark } from "../runs/secret-marks.js";
import type { FoundChange, FoundChanges } from "./found-changes.js";
import { inParentOf, openFound } from "./open-found.js";

/** Why a file is refused that holds what a sandbox was told in confidence. */
export const HOLDS_SECRET = "holds a secret";

/**
 * The changes without those whose content, link or name holds one of the secrets, known or marked, which join what is refused. In the
 * names of that they are masked.
 */
export async function refuseSecrets<T extends FoundChanges & { readonly folder: string }>(
  found: T,
  secrets: readonly string[],
  marks: readonly SecretMark[],
): Promise<T> {
  if (secrets.length + marks.length === 0) return found;
  const changes: FoundChange[] = [];
  const refused = new Map(found.refused);
  for (const change of found.changes) {
    if (await holdsOne(found.folder, change, () => new StreamSearch(secrets, marks)))
      refused.set(change.path, HOLDS_SECRET);
    else changes.push(change);
  }
  const hidden = (path: string): string => maskBytes(Buffer.from(path, "latin1"), secrets, marks).toString("latin1");
  return { ...found, changes, refused: new Map([...refused].map(([path, reason]) => [hidden(path), reason])) };
}

/** What cannot be read is refused by whoever stores it. */
async function holdsOne(folder: string, change: FoundChange, begin: () => StreamSearch): Promise<boolean> {
  const { path, mode } = change;
  if (mode === null) return false;
  if (begin().holds(Buffer.from(path, "latin1"))) return true;
  if (mode === "120000") {
    const target = await inParentOf(folder, path, (parent, name) => readlink(parent.at(name), "buffer")).catch(
      () => {},
    );
    return target !== undefined && begin().holds(target);
  }
  const handle = await openFound(folder, change).catch(() => undefined);
  if (handle === undefined) return false;
  const search = begin();
  try {
    for await (const chunk of handle.createReadStream({ autoClose: false })) if (search.holds(chunk)) return true;
    return false;
  } finally {
    await handle.close();
  }
}
