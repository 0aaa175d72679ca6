import type { BigIntStats } from "node:fs";
import { readlink } from "node:fs/promises";
import { pathBelow } from "../../system/path-bytes.js";
import type { Findings, FoundChange } from "./found-changes.js";
import { findUnreadable } from "./open-found.js";
import { whyUnsafeLink } from "./unsafe-link.js";
import { isSteering } from "./unsafe-name.js";

/** Beyond this a file belongs outside of git: `artifacts.models.storage`. */
const LARGEST_FILE = 1024 ** 3;

/** Adds a regular file or a link at `path` (latin1) of the folder `root`, or refuses it: of a link only its text is read. */
export async function addFound(
  findings: Findings,
  root: string,
  {
    path,
    change,
    stat,
  }: Pick<FoundChange, "path"> & { readonly change: "added" | "modified"; readonly stat: BigIntStats },
): Promise<void> {
  const size = Number(stat.size);
  if (!stat.isSymbolicLink()) {
    const unreadable = await findUnreadable(root, path, stat);
    if (size > LARGEST_FILE) findings.refuse(path, `too large for a version: ${size} bytes`);
    else if (unreadable !== undefined) findings.refuseUnread(path, unreadable);
    else findings.add({ path, change, mode: stat.mode & 0o100n ? "100755" : "100644", size });
    return;
  }
  const steers = isSteering(path.slice(path.lastIndexOf("/") + 1));
  const target = await readlink(pathBelow(root, path), "latin1");
  const why = steers ? "a link that git would read" : whyUnsafeLink(path, target);
  if (why === undefined) findings.add({ path, change, mode: "120000", size });
  else findings.refuse(path, why);
}
