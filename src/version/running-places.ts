import { readdir } from "node:fs/promises";
import path from "node:path";
import { listMarkedOf } from "../system/marked-processes.js";
import { deploymentRoot, versionOfFolder } from "./deployment-root.js";
import { agentMark } from "./lifecycle-commands.js";
import type { WritingSession } from "./writing-session.js";

/** A folder in which an agent runs that was started here. */
export interface RunningPlace {
  /** Absolute. */
  readonly folder: string;
  /** What its processes are marked with. */
  readonly agent: string;
  /** The version whose folder of a deployment it is; null for the working tree. */
  readonly version: string | null;
  /** The numbers of those that no other of them started. */
  readonly processes: readonly number[];
}

/**
 * Where the agent runs: in the working tree, which comes first, or in the folders of the deployment at `root`, also that of the
 * version `linked`, which may be gone. What runs in other linked worktrees is no part of it.
 */
export async function listRunningPlaces(
  { agent: { repository }, log }: Pick<WritingSession, "agent" | "log">,
  { root, linked }: { readonly root: string; readonly linked: string | null },
): Promise<RunningPlace[]> {
  const { workTree } = repository;
  const { versions } = deploymentRoot(root);
  const there = await readdir(versions).catch((): string[] => []);
  const names = new Set(linked === null ? there : [...there, `v${linked}`]);
  const placeOf = (folder: string, version: string | null) => ({
    folder,
    agent: agentMark(log.entry.repo, folder),
    version,
  });
  const deployed = [...names].flatMap((name) => {
    const version = versionOfFolder(name);
    return version === null ? [] : [placeOf(path.join(versions, name), version)];
  });
  const places = [...(workTree === undefined ? [] : [placeOf(workTree, null)]), ...deployed];
  const marked = await listMarkedOf(places.map(({ agent }) => agent));
  return places.flatMap((place) => {
    const found = marked.get(place.agent);
    if (found === undefined) return [];
    const heads = found.filter(({ parent }) => !found.some(({ id }) => id === parent));
    return [{ ...place, processes: heads.map(({ id }) => id) }];
  });
}
