import { KaiError } from "../error.js";
import { openRepository } from "../git/repository.js";
import { runGitAround } from "../git/run-git.js";
import { parseTag } from "../git/tag-object.js";
import { CURRENT_REF, type InForce, LOG_REF, parseEntryMessage } from "../operation/entry.js";
import { findNumber } from "./number.js";
import { parseCurrentTag } from "./tag-text.js";

export interface CurrentVersion {
  readonly version: string;
  readonly commit: string;
  /** When it came into force. */
  readonly since: string;
  readonly operation: string;
}

/**
 * The version in force by the log's newest entry, from one git process whatever the size of the history. E105 where none
 * is, E121 where the tag `current` is not the one that the log made: then nobody should act on either.
 */
export async function readCurrent(cwd: string, env: NodeJS.ProcessEnv): Promise<CurrentVersion> {
  for (let waits = 0; ; waits++) {
    const { log, current } = await readHeads(cwd, env);
    try {
      return judge(log, current);
    } catch (cause) {
      // The log moves first: an operation under way is about to move the tag.
      if (waits === WAITS || !isDoubtful(cause) || !(await isUnderWay(cwd, env))) throw cause;
    }
  }
}

/** How often, and how many milliseconds apart, to look again while an operation is under way. */
const WAITS = 20;
const PAUSE = 50;

async function isUnderWay(cwd: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const [{ isUnfinished }, { setTimeout }] = await Promise.all([
    import("../operation/is-unfinished.js"),
    import("node:timers/promises"),
  ]);
  if (!(await isUnfinished(await openRepository(cwd, env)))) return false;
  await setTimeout(PAUSE);
  return true;
}

const isDoubtful = (cause: unknown): boolean => cause instanceof KaiError && cause.code === "E121";

function judge(log: Head | undefined, current: Head | undefined): CurrentVersion {
  if (log === undefined) {
    throw new KaiError("E105", "No version is in force: this repository has no log.", {
      hint: "`git kai-version init` makes it an agent, or adopts the log of its remote.",
    });
  }
  const text = log.raw.toString();
  const entry = parseEntryMessage(text.slice(text.indexOf("\n\n") + 2))?.entry;
  if (entry === undefined) throw doubtful("The log cannot be trusted: its newest commit is no entry of it.");
  const { after } = entry.current;
  if (after === null && current === undefined) {
    throw new KaiError("E105", "No version is in force yet.", { hint: "`git kai-version create` makes the first." });
  }
  if (after?.pointer !== current?.id) throw differs(after, current?.id);
  const tag = current && parseTag(current.raw);
  const said = tag && !("problem" in tag) ? parseCurrentTag(tag.message, current.id) : undefined;
  if (!current || !tag || "problem" in tag || !said || said.version !== after?.version || !findNumber(said.version)) {
    throw doubtful("The tag `current` is not one that git kai-version makes.");
  }
  if (Number.isNaN(tag.tagger.at.getTime())) throw doubtful("The tag `current` has a date that there is not.");
  return {
    version: said.version,
    commit: current.peeled,
    since: tag.tagger.at.toISOString(),
    operation: said.operation,
  };
}

interface Head {
  readonly id: string;
  /** What a tag points at in the end. */
  readonly peeled: string;
  readonly raw: Buffer;
}

const FORMAT = "%(refname)%00%(objectname)%00%(*objectname)%00%(raw:size)%00%(raw)";

/** The log's newest entry and the tag `current` with their bytes, from one git process. */
async function readHeads(
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<{ log: Head | undefined; current: Head | undefined }> {
  const args = ["for-each-ref", `--format=${FORMAT}`, LOG_REF, CURRENT_REF];
  const out = await runGitAround(cwd, env, args).catch((cause: KaiError) => {
    if (cause.code !== "E116") throw cause;
    throw doubtful(`The log, or the tag \`current\`, is damaged: ${cause.message}`, cause);
  });
  const heads = new Map<string, Head>();
  for (let offset = 0; offset < out.length; ) {
    const fields: string[] = [];
    for (let field = 0; field < 4; field++) {
      const end = out.indexOf(0, offset);
      fields.push(out.toString("utf8", offset, end));
      offset = end + 1;
    }
    const [name = "", id = "", peeled = "", size = "0"] = fields;
    heads.set(name, { id, peeled, raw: out.subarray(offset, offset + Number(size)) });
    offset += Number(size) + 1;
  }
  return { log: heads.get(LOG_REF), current: heads.get(CURRENT_REF) };
}

function differs(after: InForce | null, found: string | undefined): KaiError {
  const version = after === null ? undefined : findNumber(after.version)?.text;
  const logged = version === undefined ? "that no version is in force" : `that ${version} is in force`;
  return doubtful(`The log says ${logged}, and the tag \`current\` ${found === undefined ? "is gone" : "is another"}.`);
}

const doubtful = (message: string, cause?: KaiError): KaiError =>
  new KaiError("E121", message, {
    cause,
    data: cause?.data,
    hint: "`git kai-version init` takes in what the remote's log says, `git kai-version recover` puts the tag back where the log here says; `git kai-version verify` looks closer.",
  });
