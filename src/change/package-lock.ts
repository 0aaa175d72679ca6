import { entryOf, mapOf, textOf } from "./config-lookup.js";
import type { ConfigNode, MapNode } from "./config-tree.js";
import type { Dependencies, Dependency, LockFileText } from "./dependency.js";
import { npmPackageUrl } from "./package-url.js";
import { parseJsonTree } from "./parse-json-tree.js";

const DIRECT_KEYS = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];
const FOLDER = "node_modules/";

/**
 * Reads package-lock.json and npm-shrinkwrap.json, lockfileVersion 1 to 3 (docs.npmjs.com, "package-lock.json").
 * Version 1 does not say what is direct: the package.json beside it does, else what no other package requires.
 * @throws UnreadableConfig when it is not JSON.
 */
export function readPackageLock(file: LockFileText, manifest: LockFileText | undefined): Dependencies {
  const root = mapOf(parseJsonTree(file.text));
  const packages = mapOf(entryOf(root, "packages"));
  if (packages) return readPackages(file.path, packages);
  const tree = mapOf(entryOf(root, "dependencies"));
  if (tree) return readTree(file.path, tree, manifest && mapOf(parseJsonTree(manifest.text)));
  if (textOf(entryOf(root, "lockfileVersion")) !== undefined) return { dependencies: [], problems: [] };
  return { dependencies: [], problems: [{ path: file.path, line: 1, message: "It is not a lock file of npm." }] };
}

function readPackages(path: string, packages: MapNode): Dependencies {
  const direct = directPackages(packages);
  const found: Dependencies = { dependencies: [], problems: [] };
  for (const { name: place, value } of packages.entries.values()) {
    const entry = mapOf(value);
    const at = place.lastIndexOf(FOLDER);
    // Without node_modules it is the agent itself or a workspace; a link leads to one.
    if (!entry || at === -1 || textOf(entryOf(entry, "link")) === "true") continue;
    const name = textOf(entryOf(entry, "name")) ?? place.slice(at + FOLDER.length);
    const version = textOf(entryOf(entry, "version"));
    if (version === undefined) {
      found.problems.push({ path, line: value.line, message: `${place} has no version.` });
      continue;
    }
    const source = textOf(entryOf(entry, "resolved"));
    found.dependencies.push(dependencyOf({ path, entry, name, version, source, direct: direct.has(place) }));
  }
  return found;
}

/** Where Node would find what the root and the workspaces ask for. */
function directPackages(packages: MapNode): Set<string> {
  const places = new Set([...packages.entries.values()].map(({ name }) => name));
  const direct = new Set<string>();
  for (const { name: owner, value } of packages.entries.values()) {
    if (owner.includes(FOLDER)) continue;
    for (const key of DIRECT_KEYS) {
      for (const { name } of mapOf(entryOf(mapOf(value), key))?.entries.values() ?? []) {
        const place = foldersAbove(owner).find((folder) => places.has(`${folder}${FOLDER}${name}`));
        if (place !== undefined) direct.add(`${place}${FOLDER}${name}`);
      }
    }
  }
  return direct;
}

/** `a/b` -> `a/b/`, `a/`, and the root as the empty string. */
function foldersAbove(folder: string): string[] {
  const parts = folder.split("/").filter((part) => part !== "");
  return [...parts.keys()].map((index) => `${parts.slice(0, parts.length - index).join("/")}/`).concat("");
}

function readTree(path: string, tree: MapNode, manifest: MapNode | undefined): Dependencies {
  const found: Dependencies = { dependencies: [], problems: [] };
  const required = new Set<string>();
  const open = [{ packages: tree, top: true }];
  const topLevel: Dependency[] = [];
  for (let level = open.pop(); level; level = open.pop()) {
    for (const { name, value } of level.packages.entries.values()) {
      const entry = mapOf(value);
      const version = textOf(entryOf(entry, "version"));
      for (const needed of mapOf(entryOf(entry, "requires"))?.entries.values() ?? []) required.add(needed.name);
      const below = mapOf(entryOf(entry, "dependencies"));
      if (below) open.push({ packages: below, top: false });
      if (!entry || version === undefined) {
        found.problems.push({ path, line: value.line, message: `${name} has no version.` });
        continue;
      }
      const dependency = dependencyOf({ path, entry, ...splitAlias(name, version), direct: false });
      found.dependencies.push(dependency);
      if (level.top) topLevel.push(dependency);
    }
  }
  const asked = manifest && namesAsked(manifest);
  for (const dependency of topLevel) {
    dependency.direct = asked ? asked.has(dependency.name) : !required.has(dependency.name);
  }
  return found;
}

const namesAsked = (manifest: MapNode): Set<string> =>
  new Set(
    DIRECT_KEYS.flatMap((key) => [...(mapOf(entryOf(manifest, key))?.entries.values() ?? [])].map(({ name }) => name)),
  );

/** In version 1 the version may be an alias (`npm:other@1.0.0`) or where the package comes from. */
function splitAlias(name: string, version: string): { name: string; version: string; source?: string } {
  const alias = /^npm:(.+)@([^@]+)$/.exec(version);
  if (alias) return { name: alias[1] ?? name, version: alias[2] ?? version };
  return version.includes("://")
    ? { name, version: /#(.+)$/.exec(version)?.[1] ?? version, source: version }
    : { name, version };
}

interface Found {
  path: string;
  entry: ConfigNode;
  name: string;
  version: string;
  source?: string | undefined;
  direct: boolean;
}

function dependencyOf({ path, entry, name, version, source, direct }: Found): Dependency {
  const hash = textOf(entryOf(mapOf(entry), "integrity"));
  const vcsUrl = source !== undefined && /^git(\+|:)/.test(source) ? source : undefined;
  return {
    purl: npmPackageUrl(name, version, vcsUrl),
    ...{ name, version, ecosystem: "npm" },
    ...(hash === undefined ? {} : { hash }),
    ...{ file: path, line: entry.line, direct },
  };
}
