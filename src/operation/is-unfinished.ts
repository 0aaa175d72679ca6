import { readdir } from "node:fs/promises";
import type { Repository } from "../git/repository.js";
import { kaiFolderOf } from "./kai-folder.js";

/** Whether an operation is under way or was interrupted: `readOperationState` tells which. Reads one folder. */
export async function isUnfinished(repository: Repository): Promise<boolean> {
  const names = await readdir(kaiFolderOf(repository).journal).catch(() => []);
  return names.some((name) => /^[0-9A-Z]{26}$/.test(name));
}
