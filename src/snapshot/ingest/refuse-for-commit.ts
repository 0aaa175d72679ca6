import type { FoundIn } from "../judged-changes.js";
import { refuseRepositories } from "./embedded-repository.js";
import { type LfsGround, RAW_LFS, rawLfsFound } from "./raw-lfs.js";

/** What a sandbox changed of a tree without what may be in a save, but not on a branch, which joins what is refused. */
export async function refuseForCommit(found: FoundIn, ground: LfsGround): Promise<FoundIn> {
  const taken = await refuseRepositories(found, ground.reader, ground.tree);
  const raw = await rawLfsFound(ground, taken.folder, taken.changes);
  if (raw.size === 0) return taken;
  const changes = taken.changes.filter(({ path }) => !raw.has(path));
  const refused = new Map([...taken.refused, ...[...raw].map((path) => [path, RAW_LFS] as const)]);
  return { ...taken, changes, refused };
}
