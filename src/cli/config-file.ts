import { existsSync } from "node:fs";
import path from "node:path";
import { CONFIG_FILE, readConfigText } from "../agent/find-config.js";
import { KaiError } from "../error.js";
import { openRepository, type Repository } from "../git/repository.js";
import { findConfigText } from "../version/agent-repository.js";
import { findLoggedConfig } from "../version/logged-config.js";
import { tellConfigGone } from "./caller.js";
import type { CommandContext } from "./context.js";

export interface ConfigFile {
  /** Absolute; `HEAD:kai.yaml` in a bare repository, `v1.0.0:kai.yaml` where that of a version is in effect. */
  readonly file: string;
  /** How messages name it: as seen from the working directory. */
  readonly shownAs: string;
  /** Throws E106 where it is too large or not UTF-8, E123 where it cannot be read. */
  readonly read: () => Promise<string>;
}

/** The kai.yaml that all commands go by: the one in the root of the repository. Where it is gone, that of
 * the version in force. E104 outside of one, E105 where there is none. */
export async function agentConfigFile({
  cwd,
  env,
  output,
}: Pick<CommandContext, "cwd" | "env" | "output">): Promise<ConfigFile> {
  const repository = await openRepository(cwd, env);
  if (repository.workTree !== undefined) {
    const file = path.join(repository.workTree, CONFIG_FILE);
    if (!existsSync(file)) return loggedConfigFile(repository, output);
    const shownAs = path.relative(cwd, file);
    return { file, shownAs, read: () => readConfigText(file, shownAs) };
  }
  const text = await findConfigText(repository);
  return text === undefined ? loggedConfigFile(repository, output) : shownText("HEAD", text);
}

/** That of a version, where the agent's own is gone. */
async function loggedConfigFile(repository: Repository, output: CommandContext["output"]): Promise<ConfigFile> {
  const logged = await findLoggedConfig(repository);
  if (logged === undefined) throw notAnAgent();
  tellConfigGone({ output })({ configFrom: logged.of, bare: repository.bare, broken: undefined });
  return shownText(logged.of, logged.text);
}

function shownText(of: string, text: string): ConfigFile {
  const name = `${of}:${CONFIG_FILE}`;
  return { file: name, shownAs: name, read: async () => text };
}

/** A file that the user names, and finds in messages as it was named. */
export function namedConfigFile(name: string, cwd: string): ConfigFile {
  const file = path.resolve(cwd, name);
  return { file, shownAs: name, read: () => readConfigText(file, name) };
}

const notAnAgent = (): KaiError =>
  new KaiError("E105", `There is no ${CONFIG_FILE} here, so this is not an agent.`, {
    hint: "`git kai-version init` makes the repository an agent.",
  });
