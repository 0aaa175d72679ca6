import { homedir } from "node:os";
import path from "node:path";

/** Where agents are known by name: `$KAI_AGENTS`, else `~/agents`. */
export const agentsFolder = (env: NodeJS.ProcessEnv): string =>
  env["KAI_AGENTS"] || path.join(env["HOME"] ?? homedir(), "agents");
