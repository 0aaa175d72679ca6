import type { AgentConfig } from "../agent/config.js";
import { versionInForce } from "../version/history.js";
import { findVersionConfig } from "../version/version-config.js";
import type { WritingSession } from "../version/writing-session.js";

/** What `lifecycle.trigger` says, and whose kai.yaml that is. */
export interface TriggerInForce {
  readonly trigger: AgentConfig["lifecycle"]["trigger"];
  /** The number in force; null for that of the working tree, before the first version. */
  readonly of: string | null;
}

/**
 * When versions are made without being asked for, as the version in force says, for which somebody has signed: who can only
 * commit does not have others sign what is committed.
 */
export async function triggerInForce({
  agent,
  reader,
  history,
}: Pick<WritingSession, "agent" | "reader" | "history">): Promise<TriggerInForce> {
  const inForce = versionInForce(history);
  if (inForce === undefined) return { trigger: agent.config.lifecycle.trigger, of: null };
  const config = await findVersionConfig(reader, inForce.commit);
  return { trigger: config?.lifecycle.trigger ?? { on: [], schedule: null }, of: inForce.number.text };
}
