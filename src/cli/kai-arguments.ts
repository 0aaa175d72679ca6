import { homedir } from "node:os";
import path from "node:path";
import { COMMANDS } from "./commands/index.js";

/** Commands that concern no agent, so none is named. */
const WITHOUT_AGENT = new Set(["doctor", "key", "help", "completion"]);

/**
 * Turns `kai <command> <agent> …` into the arguments of `git kai-version`: the agent is a folder of `$KAI_AGENTS`
 * (default `~/agents`), or a path. `kai snapshot <agent> --test v1.2.0` becomes `snapshot test v1.2.0`.
 */
export function kaiArguments(argv: readonly string[], env: NodeJS.ProcessEnv): string[] {
  const [first] = argv;
  if (first === undefined || first.startsWith("-") || WITHOUT_AGENT.has(first)) return [...argv];
  const [group, second] = argv;
  const twoWords = COMMANDS.some((entry) => entry.name === `${group} ${second}`);
  const words = twoWords ? 2 : 1;
  const command = argv.slice(0, words);
  const agent = argv[words];
  if (agent === undefined || agent.startsWith("-")) return [...argv];
  const rest = argv.slice(words + 1);
  const folder = ["-C", agentFolder(agent, env)];
  const test = rest.indexOf("--test");
  if (command.join(" ") === "snapshot" && test >= 0) {
    const version = rest[test + 1];
    const others = rest.filter((_, index) => index !== test && index !== test + 1);
    return [...folder, "snapshot", "test", ...(version === undefined ? [] : [version]), ...others];
  }
  return [...folder, ...command, ...rest];
}

function agentFolder(agent: string, env: NodeJS.ProcessEnv): string {
  if (agent.includes("/") || agent === "." || agent === "..") return agent;
  return path.join(env["KAI_AGENTS"] ?? path.join(env["HOME"] ?? homedir(), "agents"), agent);
}
