import path from "node:path";
import type { Agent } from "../support/agent.js";

/** Where it is deployed, beside its folder. */
export const rootOf = (agent: Agent): string => path.join(path.dirname(agent.dir), "deployed");

/** Deploys to a root beside the agent; its command line, for more. */
export const deploy = (agent: Agent, version: string, ...more: string[]) =>
  agent.kai("deploy", version, "--to", "../deployed", ...more);
