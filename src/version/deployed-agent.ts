import path from "node:path";
import type { AgentConfig } from "../agent/config.js";
import type { Repository } from "../git/repository.js";
import { findStat } from "../system/path-bytes.js";
import { deploymentRoot, readCurrentLink, versionOfLink } from "./deployment-root.js";
import { findVersion, type KnownVersion } from "./history.js";
import type { LifecycleSituation } from "./lifecycle-commands.js";
import { findNumber } from "./number.js";
import { findVersionConfig } from "./version-config.js";
import type { WritingSession } from "./writing-session.js";

/** A version, and its kai.yaml, by which its agent runs; null where that cannot be read. */
export interface NamedVersion {
  readonly version: KnownVersion;
  readonly config: AgentConfig | null;
}

/** Where the agent is deployed, and which version that is. */
export interface DeployedAgent {
  /** Absolute. */
  readonly root: string;
  readonly version: string;
  /** What is known of that version; undefined where it is not here. */
  readonly left: NamedVersion | undefined;
  /** The one that is to be deployed in its place; undefined where it stays. */
  readonly next: NamedVersion | undefined;
  /** Whether its folder is there: in none that was removed can a command be run. */
  readonly isThere: boolean;
}

type Named = Pick<WritingSession, "reader" | "history">;

/** The deployment at a root, where one of ours is in it: a rollback then switches it, too. */
export async function findDeployed(
  session: Named,
  root: string | null,
  next: KnownVersion | null | undefined,
): Promise<DeployedAgent | undefined> {
  if (root === null) return undefined;
  const place = deploymentRoot(root);
  const version = versionOfLink(await readCurrentLink(place.current));
  const number = version === null ? undefined : findNumber(version);
  if (version === null || number === undefined) return undefined;
  return {
    root,
    version,
    left: await withConfig(session, findVersion(session.history, number)),
    next: await withConfig(session, next ?? undefined),
    isThere: (await findStat(path.join(place.versions, `v${version}`))) !== undefined,
  };
}

/** The version with its kai.yaml; undefined for none. */
export const withConfig = async (
  { reader }: Named,
  version: KnownVersion | undefined,
): Promise<NamedVersion | undefined> => version && { version, config: await findVersionConfig(reader, version.commit) };

/** Where the commands of a version run: in its folder of the deployment, where there is one; else where the agent itself is. */
export function placeOf(
  repository: Repository,
  deployed: DeployedAgent | undefined,
  version: string | undefined,
): Pick<LifecycleSituation, "cwd" | "deployment"> {
  if (deployed === undefined || version === undefined) {
    return { cwd: repository.workTree ?? repository.gitDir, deployment: null };
  }
  const { root } = deployed;
  return { cwd: path.join(deploymentRoot(root).versions, `v${version}`), deployment: root };
}
