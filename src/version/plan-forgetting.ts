import type { KnownVersion } from "./history.js";
import { compareNumbers } from "./number.js";

/** The versions of which `artifacts.state.keep` no longer keeps the state: all but the newest `keep` that have one here. */
export function planForgetting(
  versions: readonly KnownVersion[],
  {
    here,
    kept,
    keep,
    inForce,
  }: {
    /** Tags whose state is here. */
    readonly here: ReadonlySet<string>;
    /** Tags that were kept by name. */
    readonly kept: ReadonlySet<string>;
    readonly keep: number;
    /** Tags of versions that are in force, or are just coming into force. */
    readonly inForce: ReadonlySet<string>;
  },
): KnownVersion[] {
  const newestFirst = versions
    .filter((version) => here.has(version.tag))
    .sort((a, b) => timeOf(b) - timeOf(a) || compareNumbers(b.number, a.number));
  return newestFirst.slice(Math.max(0, keep)).filter(({ tag }) => !kept.has(tag) && !inForce.has(tag));
}

const timeOf = ({ createdAt }: KnownVersion): number => createdAt?.getTime() ?? 0;
