import { type PlannedSwitch, switchDeployment } from "../deploy/switch-deployment.js";
import { KaiError } from "../error.js";
import type { AgentCommand } from "../system/agent-command.js";
import { type CommandContext, runAgentCommand } from "../system/agent-process.js";
import type { DeployedAgent } from "../version/deployed-agent.js";
import type { KnownVersion } from "../version/history.js";
import type { WritingSession } from "../version/writing-session.js";

/** Makes the folder of the version ready, dependencies and all, and plans the switch to it. */
export function planSwitch(
  session: WritingSession,
  { root }: DeployedAgent,
  { version, event, install }: { version: KnownVersion; event: "rollback" | "undo"; install: AgentCommand | null },
  context: CommandContext,
): Promise<PlannedSwitch> {
  const installIn = async (cwd: string): Promise<void> => {
    if (install === null) return;
    const { ok, error, output } = await runAgentCommand({ ...install, cwd }, context);
    if (ok) return;
    context.cancelled?.throwIfAborted();
    throw new KaiError("E126", `lifecycle.install failed in the folder of ${version.tag}: ${error}`, {
      hint: "Nothing was changed. Run it by hand in a copy of the version's files.",
      data: { output },
    });
  };
  return switchDeployment(session, { root, version, event, install: installIn });
}
