import { ignoreRules } from "../agent/ignore-rules.js";
import { readablePath } from "../system/path-bytes.js";
import type { TreeFile } from "./manifest.js";

/** Whether a path (latin1 bytes; a folder's ends with `/`) is ignored. */
export type IsIgnored = (path: string) => boolean;

/**
 * What the version's own .gitignore files ignore, by gitignore(5): the deepest that says something about a path decides.
 * Excludes that only this clone has (`.git/info/exclude`) are not signed by anyone, and do not count.
 */
export async function readIgnoredPaths(
  files: readonly TreeFile[],
  readBlob: (id: string) => Promise<Buffer>,
): Promise<IsIgnored> {
  const rules: { folder: string; rules: ReturnType<typeof ignoreRules> }[] = [];
  for (const { path, mode, id } of files) {
    if (!mode.startsWith("100") || !/(?:^|\/)\.gitignore$/.test(path)) continue;
    const text = (await readBlob(id)).toString();
    const folder = path.slice(0, -".gitignore".length);
    rules.push({ folder, rules: ignoreRules(text.replace(/^\uFEFF/, "").split(/\r?\n|\r$/)) });
  }
  rules.sort((a, b) => b.folder.length - a.folder.length);
  return (path) => {
    for (const each of rules) {
      if (!path.startsWith(each.folder)) continue;
      const verdict = each.rules(readablePath(path.slice(each.folder.length)));
      if (verdict !== undefined) return verdict === "ignored";
    }
    return false;
  };
}
