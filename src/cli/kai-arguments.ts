import path from "node:path";
import { agentsFolder } from "../version/agents-folder.js";
import { COMMANDS } from "./commands/index.js";

/** Commands that concern no agent, so none is named; for `doctor` one may be. */
const WITHOUT_AGENT = new Set(["key", "help", "completion"]);

const FLAGS_IN_FRONT: ReadonlySet<string> = new Set(["--json", "--quiet", "-q", "--no-color"]);

export interface KaiCommandLine {
  /** As `git kai-version` takes them. */
  readonly argv: string[];
  /** The agent that was named without a path; undefined where none was. */
  readonly agent: string | undefined;
}

/**
 * Turns `kai <command> <agent> …` into the arguments of `git kai-version`: the agent is a folder of `$KAI_AGENTS`
 * (default `~/agents`), or a path. `kai snapshot <agent> --test v1.2.0` becomes `snapshot test v1.2.0`.
 */
export function kaiArguments(argv: readonly string[], env: NodeJS.ProcessEnv): KaiCommandLine {
  const start = argv.findIndex((word) => !FLAGS_IN_FRONT.has(word));
  const words = start < 0 ? [] : argv.slice(start);
  const [first, second] = words;
  // Behind another option, -C say, there is no agent to be named: the folder is.
  if (first === undefined || first.startsWith("-") || WITHOUT_AGENT.has(first)) {
    return { argv: [...argv], agent: undefined };
  }
  const length = COMMANDS.some((entry) => entry.name === `${first} ${second}`) ? 2 : 1;
  const agent = words[length];
  if (agent === undefined || agent.startsWith("-")) return { argv: [...argv], agent: undefined };
  const behind = words.slice(length + 1);
  const command = first === "snapshot" && length === 1 ? testArguments(behind) : undefined;
  const folder = isPath(agent) ? agent : path.join(agentsFolder(env), agent);
  return {
    argv: [...argv.slice(0, start), "-C", folder, ...(command ?? [...words.slice(0, length), ...behind])],
    agent: isPath(agent) ? undefined : agent,
  };
}

/** `--test VERSION` as the command that it stands for; undefined where it is not there. What is behind `--` is somebody else's. */
function testArguments(words: readonly string[]): string[] | undefined {
  const end = words.indexOf("--");
  const at = words.findIndex((word, index) => (end < 0 || index < end) && /^--test(?:=|$)/.test(word));
  if (at < 0) return undefined;
  const joined = words[at]?.startsWith("--test=");
  const named = joined ? [words[at]?.slice("--test=".length) ?? ""] : words.slice(at + 1, at + 2);
  return ["snapshot", "test", ...named, ...words.slice(0, at), ...words.slice(at + (joined ? 1 : 2))];
}

const isPath = (agent: string): boolean => agent.includes("/") || agent === "." || agent === "..";
