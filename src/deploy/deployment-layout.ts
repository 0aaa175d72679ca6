import path from "node:path";
import { findNumber } from "../version/number.js";

/** The folder of an agent's deployments: `versions/vX.Y.Z/` each, the link `current` on one of them, and what was switched when. */
export interface DeploymentRoot {
  /** Absolute. */
  readonly root: string;
  readonly versions: string;
  readonly current: string;
  readonly log: string;
}

export const deploymentRoot = (root: string): DeploymentRoot => ({
  root,
  versions: path.join(root, "versions"),
  current: path.join(root, "current"),
  log: path.join(root, "rollback.log"),
});

/** What the link `current` says where this version is deployed. */
export const linkTo = (version: string): string => `versions/v${version}`;

/** The version whose folder a link's text names; null where it is none of ours. */
export function versionOfLink(text: string | null): string | null {
  const name = /^versions\/v([^/]+)\/?$/.exec(text ?? "")?.[1];
  return name === undefined ? null : versionOfFolder(`v${name}`);
}

/** The version that a folder of `versions/` is named after; null where it is not. */
export const versionOfFolder = (name: string): string | null =>
  name.startsWith("v") && findNumber(name.slice(1)) !== undefined ? name.slice(1) : null;

/** The file that holds what a deployment is proven by; see docs/formats.md. */
export const SEAL_FILE = ".kai-deployment.json";

/** The names of our own files in a deployment: with `.kai-` in front where the version has a file or folder of that name. */
export function ownFiles(names: ReadonlySet<string>): { readonly meta: string; readonly manifest: string } {
  const free = (name: string) => (names.has(name) ? `.kai-${name}` : name);
  return { meta: free("snapshot_meta.json"), manifest: free("manifest.json") };
}
