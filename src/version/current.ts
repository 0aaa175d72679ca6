import { KaiError } from "../error.js";
import { PLAIN_LOG } from "../git/plain-log.js";
import { listRefs } from "../git/refs.js";
import { openRepository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import { parseTag } from "../git/tag-object.js";
import { CURRENT_REF, LOG_REF, parseEntryMessage } from "../operation/entry.js";
import { parseCurrentTag } from "./tag-text.js";

export interface CurrentVersion {
  readonly version: string;
  readonly commit: string;
  /** When it came into force. */
  readonly since: string;
  readonly operation: string;
  /** False where the log's newest entry says that something else is in force. */
  readonly logged: boolean;
}

/** The version in force, from two git processes whatever the size of the history. E105 where none is. */
export async function readCurrent(cwd: string, env: NodeJS.ProcessEnv): Promise<CurrentVersion> {
  const repository = await openRepository(cwd, env);
  const refs = await listRefs(repository, [CURRENT_REF, LOG_REF]);
  const pointer = refs.find((ref) => ref.name === CURRENT_REF);
  const log = refs.find((ref) => ref.name === LOG_REF);
  const tag = pointer?.raw === undefined ? undefined : parseTag(pointer.raw);
  const inForce = tag === undefined || "problem" in tag ? undefined : parseCurrentTag(tag.message, pointer?.id ?? "");
  if (!pointer?.peeled || !tag || "problem" in tag || !inForce) {
    throw new KaiError(
      "E105",
      log ? "No version is in force yet." : "No version is in force: this repository has no log.",
      {
        hint: log
          ? "`git kai-version create` makes the first."
          : "`git kai-version init` makes it an agent, or adopts the log of its remote.",
      },
    );
  }
  const message =
    log === undefined ? "" : (await runGit(repository, [...PLAIN_LOG, "-1", "--format=%B", log.id, "--"])).toString();
  const after = parseEntryMessage(message)?.entry.current.after ?? null;
  return {
    version: inForce.version,
    commit: pointer.peeled.id,
    since: tag.tagger.at.toISOString(),
    operation: inForce.operation,
    logged: after?.pointer === pointer.id,
  };
}
