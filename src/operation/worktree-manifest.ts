import type { BigIntStats } from "node:fs";

/** What tells that a file is still the one that was looked at; all but `ino` as decimal text, times in nanoseconds. */
export interface FileIdentity {
  readonly ino: string;
  readonly size: string;
  readonly mtime: string;
  readonly ctime: string;
}

/** One path of the working tree that an operation changes. Paths are bytes as latin1 text. */
export type WorktreeStep =
  | {
      readonly kind: "place";
      readonly path: string;
      /** What the plan saw there; null for nothing. */
      readonly before: FileIdentity | null;
      /** The file that is put there. */
      readonly placed: FileIdentity;
      /** The name under which that is kept until all is done; null where nothing was there. */
      readonly aside: string | null;
    }
  | { readonly kind: "remove"; readonly path: string; readonly aside: string; readonly before: FileIdentity | null }
  | { readonly kind: "submodule"; readonly path: string };

export interface WorktreeManifest {
  readonly steps: readonly WorktreeStep[];
}

export const identityOf = (stat: BigIntStats): FileIdentity => ({
  ino: String(stat.ino),
  size: String(stat.size),
  mtime: String(stat.mtimeNs),
  ctime: String(stat.ctimeNs),
});

/** Whether it is still the same file with the same content, by another name perhaps: a link or a rename changes its ctime. */
export const isSameContent = (seen: FileIdentity, now: FileIdentity): boolean =>
  seen.ino === now.ino && seen.size === now.size && seen.mtime === now.mtime;

export const isUntouched = (seen: FileIdentity | null, now: FileIdentity | null): boolean =>
  seen === null || now === null
    ? seen === now
    : seen.ino === now.ino && seen.size === now.size && seen.mtime === now.mtime && seen.ctime === now.ctime;
