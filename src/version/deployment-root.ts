import path from "node:path";
import { KaiError } from "../error.js";
import { readLink } from "../operation/apply-links.js";
import { findNumber } from "./number.js";

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

/** What `current` says; null where nothing is. E125 where something else stands there. */
export async function readCurrentLink(current: string): Promise<string | null> {
  return readLink(current).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "EINVAL") throw cause;
    throw new KaiError("E125", `${current} is no link, so it cannot be switched.`, {
      hint: "Move it away; the deployments themselves are in the folder `versions` beside it.",
    });
  });
}
