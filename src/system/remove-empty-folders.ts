import { readdirSync, rmdirSync } from "node:fs";
import { HeldFolder } from "./held-folder.js";

/** Removes a folder that has nothing but empty folders in it; false where there is more, which stays. */
export function removeEmptyFolders(parent: HeldFolder, name: string): boolean {
  const folder = parent.child(name);
  if (!(folder instanceof HeldFolder)) return false;
  try {
    for (const below of readdirSync(folder.at("."), "latin1")) {
      if (!removeEmptyFolders(folder, below)) return false;
    }
  } finally {
    folder.close();
  }
  try {
    rmdirSync(parent.at(name));
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOTEMPTY") return false;
    throw cause;
  }
}
