import { statSync } from "node:fs";

/** A repository on this machine, by its common git folder: what a copy of it has not. */
export interface RepositoryPlace {
  readonly path: string;
  readonly device: string;
  readonly inode: string;
}

/** Undefined where nothing is there. */
export function findPlace(commonDir: string): RepositoryPlace | undefined {
  const stat = statSync(commonDir, { bigint: true, throwIfNoEntry: false });
  return stat && { path: commonDir, device: String(stat.dev), inode: String(stat.ino) };
}

/** Whether the two are one repository: it may have been moved, and a device may have another number after a restart of the machine. */
export const isSamePlace = (one: RepositoryPlace, other: RepositoryPlace): boolean =>
  one.inode === other.inode && (one.path === other.path || one.device === other.device);

/** Whether that very repository is where it was. */
export function isThere(place: RepositoryPlace): boolean {
  const found = findPlace(place.path);
  return found !== undefined && isSamePlace(place, found);
}
