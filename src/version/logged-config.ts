import { type AgentConfig, loadAgentConfig } from "../agent/config.js";
import { CONFIG_FILE, decodeConfig, LARGEST_CONFIG } from "../agent/find-config.js";
import { KaiError } from "../error.js";
import { ObjectReader } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import { CURRENT_REF, LOG_REF, type LoggedEntry } from "../operation/entry.js";
import { readLog } from "../operation/log.js";
import { readRef } from "../operation/read-ref.js";

export interface LoggedConfig {
  /** The tag of the version that has it, or HEAD. */
  readonly of: string;
  readonly text: string;
  readonly config: AgentConfig;
}

/**
 * The kai.yaml to go by where the agent's own is gone or broken: that of the version in force, else of the newest version that
 * has one, else of HEAD. Undefined without a log, and where none of them has one; E106 where none that they have can be read.
 */
export async function findLoggedConfig(repository: Repository): Promise<LoggedConfig | undefined> {
  if ((await readRef(repository, LOG_REF)) === null) return undefined;
  const log = await readLog(repository);
  const reader = new ObjectReader(repository);
  let broken: KaiError | undefined;
  try {
    for (const { of, object } of [...configSources(log), { of: "HEAD", object: "HEAD" }]) {
      const found = await reader.find(`${object}:${CONFIG_FILE}`, LARGEST_CONFIG + 1);
      if (found?.type !== "blob") continue;
      const name = `${of}:${CONFIG_FILE}`;
      try {
        const text = decodeConfig(found.content, name);
        return { of, text, config: await loadAgentConfig(text, name) };
      } catch (cause) {
        if (!(cause instanceof KaiError && cause.code === "E106")) throw cause;
        broken ??= cause;
      }
    }
    if (broken) throw broken;
    return undefined;
  } finally {
    reader.close();
  }
}

/** The versions that a log made, the one in force first and then the newest: their tags and those tags' objects. */
export function configSources(
  log: readonly Pick<LoggedEntry, "changes" | "current">[],
): { of: string; object: string }[] {
  const inForce = log[0]?.current.after?.tag;
  const made = log.flatMap(({ changes }) =>
    changes.flatMap(({ ref, new: object }) =>
      ref.startsWith("refs/tags/") && ref !== CURRENT_REF && object !== null
        ? [{ of: ref.slice("refs/tags/".length), object }]
        : [],
    ),
  );
  return [...made.filter(({ object }) => object === inForce), ...made.filter(({ object }) => object !== inForce)];
}
