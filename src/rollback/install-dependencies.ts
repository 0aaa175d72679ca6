import { findStateFiles } from "../state/find-state-files.js";
import type { WritingSession } from "../version/writing-session.js";
import type { Decided, RollbackCaller } from "./decided.js";
import { type InstalledAside, installAside } from "./install-aside.js";
import { statePatternsOf } from "./state-patterns.js";
import type { StepLog } from "./step-log.js";

/** Installs the target's dependencies aside, as the step `restore_dependencies`; undefined where there are none to install. */
export async function installDependencies(
  session: WritingSession,
  caller: RollbackCaller,
  { prepared, ground }: Pick<Decided, "prepared" | "ground">,
  steps: StepLog,
): Promise<InstalledAside | undefined> {
  const { install } = prepared.after;
  const { agent, lock, id } = session;
  const { repository } = agent;
  const { workTree } = repository;
  if (install === null || workTree === undefined) return undefined;
  let installed: InstalledAside | undefined;
  await steps
    .command("restore_dependencies", async ({ timeoutMs, cancelled }) => {
      caller.progress("Installing dependencies aside");
      const startShell = await caller.shells?.toInstall();
      const context = { env: caller.env, onOutput: caller.onOutput, cancelled, startShell };
      const done = await installAside(
        { ...repository, workTree },
        {
          operation: id,
          tree: ground.toTree,
          run: (cwd) => prepared.runIn({ ...install, timeoutMs }, cwd, context),
          liveState: await findStateFiles(repository, statePatternsOf(agent.config, prepared.config)),
          isLiveState: prepared.isLiveState,
          inherit: [lock.descriptor],
        },
      );
      installed = done.installed;
      return done.outcome;
    })
    .catch(async (cause: unknown) => {
      await installed?.remove();
      throw cause;
    });
  return installed;
}
