/** How far a version number moves; each level includes the ones before it. */
export type Bump = "none" | "patch" | "minor" | "major";

const ORDER: readonly Bump[] = ["none", "patch", "minor", "major"];

/** The numbers of a semantic version, as the semver library holds them too. */
export interface VersionNumbers {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly prerelease: readonly (string | number)[];
}

/** The greatest of `bumps`; `none` when there is none. */
export function highestBump(bumps: Iterable<Bump>): Bump {
  let highest: Bump = "none";
  for (const bump of bumps) {
    if (ORDER.indexOf(bump) > ORDER.indexOf(highest)) highest = bump;
  }
  return highest;
}

/**
 * The bump that a change of `level` demands. Before 1.0.0 the minor number may break (semver.org, item 4), so there a
 * breaking change demands minor and a feature patch.
 */
export function demandedBump(level: Bump, stable: boolean): Bump {
  if (stable || level === "none" || level === "patch") return level;
  return level === "major" ? "minor" : "patch";
}

/**
 * `version` moved by `bump`, by arithmetic alone: the 0.x rule belongs to `demandedBump`, so `major` always reaches the
 * next major. A pre-release that already stands for such a step becomes its release: 2.0.0-rc.1 by `major` is 2.0.0.
 */
export function applyBump(version: VersionNumbers, bump: Bump): VersionNumbers {
  const { major, minor, patch } = version;
  const pending = version.prerelease.length > 0;
  switch (bump) {
    case "none":
      return { major, minor, patch, prerelease: [...version.prerelease] };
    case "patch":
      return release(major, minor, pending ? patch : patch + 1);
    case "minor":
      return release(major, pending && patch === 0 ? minor : minor + 1, 0);
    case "major":
      return release(pending && minor === 0 && patch === 0 ? major : major + 1, 0, 0);
  }
}

function release(major: number, minor: number, patch: number): VersionNumbers {
  return { major, minor, patch, prerelease: [] };
}
