import type { FileChange, FileDiff } from "../change/file-diff.js";
import { type ConfigDiff, diffConfiguration } from "../change/structural-diff.js";
import type { BlobTexts } from "./compare-blobs.js";

export const LARGEST_CONFIGURATION = 2 * 1024 * 1024;

/** A changed file of configuration or a tool; `skipped` says why it was not read. */
export type ComparedConfiguration = ConfigDiff & {
  readonly component: string;
  readonly change: "added" | "removed" | "modified";
  readonly skipped?: string;
};

/** Files whose name says that they are data, whatever component they belong to. */
const STRUCTURED = /\.(?:ya?ml|jsonc?|toml|ini|cfg|conf|env|properties)$/i;

const SUBMODULE = "160000";

/**
 * The changed files of which the structure is compared: all configuration, and tools that are described by data. One that
 * only has another name holds what it held.
 */
export function configurationFiles({ added, removed, modified }: FileDiff): FileChange[] {
  const renamed = new Set(added.flatMap(({ renamedFrom }) => renamedFrom ?? []));
  const fresh = added.filter(({ renamedFrom }) => renamedFrom === undefined);
  const gone = removed.filter(({ path }) => !renamed.has(path));
  return [...fresh, ...gone, ...modified].filter(
    ({ component, path, from, to }) =>
      (component === "config" || (component === "tools" && STRUCTURED.test(path))) &&
      from?.mode !== SUBMODULE &&
      to?.mode !== SUBMODULE,
  );
}

/** Compares the structure of each file; one whose mode alone differs has no changes. */
export function compareConfiguration(files: readonly FileChange[], texts: BlobTexts): ComparedConfiguration[] {
  return files
    .map((file): ComparedConfiguration => {
      const { component, path, from, to } = file;
      const change = from === undefined ? "added" : to === undefined ? "removed" : "modified";
      const before = from && texts.get(from.oid);
      const after = to && texts.get(to.oid);
      if ((from && before === undefined) || (to && after === undefined)) {
        return { path, component, change, format: "text", changes: [], skipped: "it is larger than 2 MiB" };
      }
      return { component, change, ...diffConfiguration(before, after, path) };
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}
