import parseSemver from "semver/functions/parse.js";
import { compareText } from "./compare-text.js";
import type { Dependency, Ecosystem } from "./dependency.js";

export interface DependencyChange {
  name: string;
  ecosystem: Ecosystem;
  from: string;
  /** Equal to `from` when only the content, by its hash, differs. */
  to: string;
  direct: boolean;
  /** Where the newer one is. */
  file: string;
  line: number | null;
  /** The first number that differs; `other` where the versions cannot be compared. */
  level: "major" | "minor" | "patch" | "other";
}

export interface DependencyDiff {
  added: Dependency[];
  removed: Dependency[];
  changed: DependencyChange[];
}

/**
 * Compares by package. Where a package is there in several versions, those that went are paired with those that came:
 * first within the same major version, then in order; what is left over is added or removed.
 */
export function diffDependencies(before: readonly Dependency[], after: readonly Dependency[]): DependencyDiff {
  const old = byPackage(before);
  const fresh = byPackage(after);
  const diff: DependencyDiff = { added: [], removed: [], changed: [] };
  for (const key of [...new Set([...old.keys(), ...fresh.keys()])].sort(compareText)) {
    diffPackage(old.get(key) ?? new Map(), fresh.get(key) ?? new Map(), diff);
  }
  return diff;
}

type Versions = Map<string, Dependency>;

function byPackage(dependencies: readonly Dependency[]): Map<string, Versions> {
  const packages = new Map<string, Versions>();
  for (const dependency of dependencies) {
    const key = `${dependency.name}\0${dependency.ecosystem}`;
    const versions: Versions = packages.get(key) ?? new Map();
    if (!versions.has(dependency.version)) versions.set(dependency.version, dependency);
    packages.set(key, versions);
  }
  return packages;
}

function diffPackage(before: Versions, after: Versions, diff: DependencyDiff) {
  const gone = [...before.values()].filter(({ version }) => !after.has(version)).sort(byVersion);
  const come = [...after.values()].filter(({ version }) => !before.has(version)).sort(byVersion);
  const pairs = [...after.values()].flatMap((to) => {
    const from = before.get(to.version);
    return from && contentDiffers(from, to) ? [{ from, to }] : [];
  });
  for (const fits of [sameMajor, () => true]) {
    for (const from of [...gone]) {
      const to = come.find((candidate) => fits(from, candidate));
      if (!to) continue;
      pairs.push({ from, to });
      gone.splice(gone.indexOf(from), 1);
      come.splice(come.indexOf(to), 1);
    }
  }
  diff.removed.push(...gone);
  diff.added.push(...come);
  diff.changed.push(...pairs.map(({ from, to }) => changeOf(from, to)));
}

function changeOf(from: Dependency, to: Dependency): DependencyChange {
  const { name, ecosystem, direct, file, line } = to;
  return { name, ecosystem, from: from.version, to: to.version, direct, file, line, level: levelOf(from, to) };
}

/** Under one version number the hashes have none in common; a further wheel of the same release is no change. */
function contentDiffers(from: Dependency, to: Dependency): boolean {
  if (from.hash === undefined || to.hash === undefined) return false;
  const known = new Set(from.hash.split(" "));
  return !to.hash.split(" ").some((hash) => known.has(hash));
}

function levelOf(from: Dependency, to: Dependency): DependencyChange["level"] {
  const [a, b] = [numbersOf(from), numbersOf(to)];
  if (!a || !b || from.version === to.version) return "other";
  const differing = ["major", "minor"].findIndex((_, index) => a[index] !== b[index]);
  return (["major", "minor"] as const)[differing] ?? "patch";
}

/**
 * Major, minor and patch, then what follows them. PyPI versions (PEP 440) may have one number or many, and an epoch,
 * which counts with the major; a commit id has none.
 */
function numbersOf({ version, ecosystem }: Dependency): [string | number, number, number] | undefined {
  if (ecosystem === "npm") {
    const parsed = parseSemver(version);
    return parsed ? [parsed.major, parsed.minor, parsed.patch] : undefined;
  }
  if (/^[0-9a-f]{40,64}$/.test(version)) return undefined;
  const match = /^v?(?:(\d+)!)?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?!\d)[a-z0-9.+_-]*$/i.exec(version);
  if (!match) return undefined;
  const [, epoch = "0", major, minor = "0", patch = "0"] = match;
  return [epoch === "0" ? Number(major) : `${epoch}!${major}`, Number(minor), Number(patch)];
}

const sameMajor = (a: Dependency, b: Dependency): boolean => {
  const major = numbersOf(a)?.[0];
  return major !== undefined && major === numbersOf(b)?.[0];
};

function byVersion(a: Dependency, b: Dependency): number {
  return a.version.localeCompare(b.version, "en", { numeric: true }) || compareText(a.version, b.version);
}
