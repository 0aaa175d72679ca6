import type { Dirent } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import path from "node:path";
import { ObjectReader } from "../git/object-reader.js";
import { copyPaths } from "../system/copy-paths.js";
import { latin1Path } from "../system/path-bytes.js";
import type { AgentRepository } from "../version/agent-repository.js";
import { configuredRoot } from "../version/deployment-place.js";
import { deploymentRoot, readCurrentLink, versionOfLink } from "../version/deployment-root.js";
import { agentLog } from "../version/lifecycle-commands.js";
import { findVersionConfig } from "../version/version-config.js";

/** Where the version in force says that the agent is deployed, absolute; null where nothing of ours stands there. */
export async function findDeploymentRoot({ repository, config }: AgentRepository): Promise<string | null> {
  const reader = new ObjectReader(repository);
  const inForce = await findVersionConfig(reader, "refs/tags/current").finally(() => reader.close());
  const root = await configuredRoot(repository, inForce ?? config);
  if (root === null) return null;
  return versionOfLink(await readCurrentLink(deploymentRoot(root).current)) === null ? null : root;
}

/**
 * Copies what `deploy` wrote at a root to `folder`, where nothing is yet; no log of an agent. Folders that lie beside, such as those
 * of sockets and data, are there and empty. Gives the names of what is not copied, of folders with `/` behind.
 */
export async function copyDeployment(root: string, folder: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  await mkdir(folder);
  const { versions, current, log } = deploymentRoot(root);
  const names = [versions, current, log].map((each) => latin1Path(path.relative(root, each)));
  await copyPaths(root, folder, names, env);
  const notOurs = ({ name }: Dirent): boolean =>
    !name.startsWith(".") && !names.includes(latin1Path(name)) && name !== path.basename(agentLog(root));
  const beside = (await readdir(root, { withFileTypes: true })).filter(notOurs);
  for (const each of beside) if (each.isDirectory()) await mkdir(path.join(folder, each.name));
  return beside.map((each) => (each.isDirectory() ? `${each.name}/` : each.name)).sort();
}
