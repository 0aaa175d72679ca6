import { KaiError } from "../error.js";
import { removeLeftovers } from "../podman/leftovers.js";
import { isRootless } from "../snapshot/is-rootless.js";
import { listForsaken, sweepSandboxFolders } from "../snapshot/sandbox/forsaken-folders.js";
import { possibleTempDirs, trustedTempDir } from "../snapshot/trusted-temp-dir.js";
import { type AgentRepository, openAgent } from "../version/agent-repository.js";
import type { Caller } from "../version/writing-session.js";

/**
 * Removes what is left of rehearsals that were killed, and of throw-away sandboxes: containers, copies, networks. Gives the names
 * of their folders; starts no process where there are none.
 */
export async function sweepRehearsals(
  { cwd, env, now }: Pick<Caller, "cwd" | "env" | "now">,
  opened?: AgentRepository,
): Promise<string[]> {
  const agent = opened ?? (await openAgent(cwd, env, () => {}));
  const forsaken = await Promise.all((await possibleTempDirs(agent)).map((folder) => listForsaken(folder, now())));
  if (forsaken.flat().length === 0) return [];
  const { tempDir } = await trustedTempDir({ env }, agent);
  if ((await listForsaken(tempDir, now())).length === 0) return [];
  // What runs in them writes to their folders. Where Podman is gone its containers do not run either.
  await removeLeftovers(env).catch((cause: unknown) => {
    if (!(cause instanceof KaiError && cause.code === "E117")) throw cause;
  });
  return sweepSandboxFolders(tempDir, { rootless: isRootless(), env }, now());
}
