import type { Stats } from "node:fs";
import { lstat, readdir, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import type { Repository } from "../git/repository.js";
import { tryGit } from "../git/run-git.js";
import { type DeploymentRoot, readCurrentLink, versionOfFolder, versionOfLink } from "../version/deployment-root.js";
import { agentLog } from "../version/lifecycle-commands.js";
import type { WritingSession } from "../version/writing-session.js";
import { findSeal } from "./deployment.js";

/**
 * Refuses (E125) a folder in which no deployment can be: one of git's own, one of the working tree that git would take into a
 * commit, one in a version's folder or beside those of another deployment, one with something else under the names that we need,
 * and one where another agent is deployed.
 */
export async function requireRoot({ agent, log }: WritingSession, root: DeploymentRoot): Promise<void> {
  await requireApart(agent.repository, root);
  await requireOutsideDeployments(root.root);
  if ((await find(stat, root.versions))?.isDirectory() === false) throw inTheWay(root.versions, "no folder");
  if ((await find(lstat, root.log))?.isFile() === false) throw inTheWay(root.log, "no file");
  const version = versionOfLink(await readCurrentLink(root.current));
  const seal = version === null ? undefined : findSeal(path.join(root.versions, `v${version}`));
  if (seal === undefined || seal.repo === log.entry.repo || seal.agentId === agent.config.agent_id) return;
  throw new KaiError("E125", `Another agent is deployed at ${root.root}: ${seal.agentId}.`, {
    hint: "Name a folder of this agent's own.",
  });
}

async function requireApart(repository: Repository, { root, versions, current, log }: DeploymentRoot): Promise<void> {
  for (const folder of [repository.commonDir, repository.gitDir]) {
    if (!isBelow(root, await realpath(folder))) continue;
    throw new KaiError("E125", `${root} is in git's own folder.`, { hint: "Name another one to deploy to." });
  }
  const workTree = repository.workTree && (await realpath(repository.workTree));
  if (workTree === undefined || !isBelow(root, workTree)) return;
  // A folder that is not there yet is taken for one by its slash.
  const asked = [`${versions}/`, current, log, agentLog(root)];
  const input = asked.map((name) => `${name}\0`).join("");
  // It takes them as they are, and does not know the setting that says so.
  const env = { GIT_LITERAL_PATHSPECS: "0" };
  const { stdout } = await tryGit(repository, ["check-ignore", "--stdin", "-z"], { cwd: workTree, input, env });
  const ignored = stdout.toString().split("\0").length - 1;
  if (ignored === asked.length) return;
  throw new KaiError("E125", `${root} is in the working tree, and git does not ignore it.`, {
    hint:
      root === workTree
        ? "Deploy to a folder outside."
        : `Deploy to a folder outside, or put \`/${path.relative(workTree, root)}/\` into .gitignore.`,
  });
}

/** A slip of the hand: `--to ROOT/current`, or `--to ROOT/versions`. A version's folder is read-only, and checked file by file. */
async function requireOutsideDeployments(root: string): Promise<void> {
  for (let folder = root; folder !== path.dirname(folder); folder = path.dirname(folder)) {
    const isVersion = findSeal(folder) !== undefined;
    if (!isVersion && !(await holdsVersions(folder))) continue;
    const [what, versions] = isVersion ? ["a version's folder", path.dirname(folder)] : ["the versions", folder];
    throw new KaiError("E125", `${root} is in ${what} of the deployment at ${path.dirname(versions)}.`, {
      hint: "Name the folder that `versions` and `current` are in, or one outside.",
    });
  }
}

async function holdsVersions(folder: string): Promise<boolean> {
  if (path.basename(folder) !== "versions") return false;
  const names = await readdir(folder).catch((): string[] => []);
  return names.some((name) => versionOfFolder(name) !== null && findSeal(path.join(folder, name)) !== undefined);
}

const isBelow = (folder: string, above: string): boolean => folder === above || folder.startsWith(`${above}/`);

const find = (look: typeof stat, file: string): Promise<Stats | undefined> =>
  look(file).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT") throw cause;
    return undefined;
  });

const inTheWay = (file: string, what: string): KaiError =>
  new KaiError("E125", `${file} is ${what}, and a deployment needs one there.`, { hint: "Move it away." });
