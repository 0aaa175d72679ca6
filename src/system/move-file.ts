import { closeSync, constants, copyFileSync, fsyncSync, linkSync, openSync, renameSync, unlinkSync } from "node:fs";

/** What the name of a copy ends with until it is whole. */
export const COPYING = ".kai-moved";

/** Renames a file over what is at `target`; from another file system by way of a copy beside it. Nothing in between is ever seen at `target`. */
export function moveFile(from: Buffer | string, target: Buffer | string): void {
  try {
    renameSync(from, target);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EXDEV") throw cause;
    copyFile(from, target);
    unlinkSync(from);
  }
}

/** Copies a file over what is at `target`, there whole or not at all; its folder is synced by whoever keeps it. */
export const copyFile = (from: Buffer | string, target: Buffer | string): void =>
  renameSync(copyBeside(from, target), target);

/** The same where nothing is at `target`; false, and nothing moved, where something came to be there. */
export function moveFileToNothing(from: Buffer | string, target: Buffer | string): boolean {
  let copy: Buffer | undefined;
  try {
    linkSync(from, target);
  } catch (cause) {
    const { code = "" } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (code === "EXDEV") copy = copyBeside(from, target);
    // A file system without second names.
    renameSync(copy ?? from, target);
    if (copy === undefined) return true;
  }
  unlinkSync(from);
  return true;
}

/** Gives a file a second name, unless it has it; none where that cannot be. */
export function keepSecondName(file: Buffer | string, name: string): void {
  try {
    linkSync(file, name);
  } catch {
    // Another file system, or one without second names.
  }
}

/** A synced copy with the same permissions, whose name a later run takes again. */
function copyBeside(from: Buffer | string, target: Buffer | string): Buffer {
  const copy = Buffer.concat([Buffer.from(target), Buffer.from(COPYING)]);
  try {
    unlinkSync(copy);
  } catch {
    // No earlier run was cut short here.
  }
  copyFileSync(from, copy, constants.COPYFILE_EXCL);
  const descriptor = openSync(copy, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  return copy;
}
