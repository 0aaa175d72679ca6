import { entryOf, mapOf, textOf } from "./config-lookup.js";
import type { Dependencies, LockFileText } from "./dependency.js";
import { pypiPackageUrl } from "./package-url.js";
import { parseJsonTree } from "./parse-json-tree.js";
import { normalizePypiName } from "./pypi-name.js";

/**
 * Reads Pipfile.lock (pipenv.pypa.io, "Pipfile & Pipfile.lock"). Only what the Pipfile asks for names its index there.
 * @throws UnreadableConfig when it is not JSON.
 */
export function readPipfileLock({ path, text }: LockFileText): Dependencies {
  const found: Dependencies = { dependencies: [], problems: [] };
  const root = mapOf(parseJsonTree(text));
  for (const section of [...(root?.entries.values() ?? [])].filter(({ name }) => name !== "_meta")) {
    for (const { name: written, value } of mapOf(section.value)?.entries.values() ?? []) {
      const entry = mapOf(value);
      const name = normalizePypiName(written);
      const source = textOf(entryOf(entry, "git"));
      const version = textOf(entryOf(entry, "version"))?.replace(/^===?/, "") ?? textOf(entryOf(entry, "ref"));
      if (version === undefined) {
        found.problems.push({ path, line: value.line, message: `${written} has no version.` });
        continue;
      }
      const hashes = entryOf(entry, "hashes");
      const hash = hashes?.kind === "list" ? hashes.items.map(textOf).sort().join(" ") : "";
      found.dependencies.push({
        purl: pypiPackageUrl(written, version, source && `git+${source}@${version}`),
        ...{ name, version, ecosystem: "pypi" },
        ...(hash === "" ? {} : { hash }),
        ...{ file: path, line: value.line, direct: entryOf(entry, "index") !== undefined || source !== undefined },
      });
    }
  }
  return found;
}
