import { existsSync } from "node:fs";
import path from "node:path";
import { KaiError } from "../../error.js";
import type { Repository } from "../../git/repository.js";
import { tryGit } from "../../git/run-git.js";
import { readRef } from "../../operation/read-ref.js";
import { RUNS_REF } from "./run-record.js";

/** The newest commit of refs/kai/runs; null where nothing was kept yet. E116 where the ref, or what it names, is no such thing. */
export async function readRunsHead(repository: Repository): Promise<string | null> {
  const id = await readRef(repository, RUNS_REF);
  if (id === null) {
    // To git what it cannot read is not there, and yet in the way of what is.
    const file = path.join(repository.commonDir, RUNS_REF);
    if (existsSync(file)) throw unreadable("holds no object's name", `rm ${file}`);
    return null;
  }
  const found = (await tryGit(repository, ["cat-file", "-t", id])).stdout.toString().trim();
  if (found === "commit") return id;
  const what = found === "" ? `names ${id}, which cannot be read` : `names a ${found}`;
  throw unreadable(what, `git update-ref -d ${RUNS_REF}`);
}

const unreadable = (what: string, remove: string): KaiError =>
  new KaiError("E116", `${RUNS_REF}, which has what was run in sandboxes, ${what}.`, {
    hint: `If \`git fsck --lost-found\` shows its last commit, \`git update-ref ${RUNS_REF} COMMIT\` brings it back; \`${remove}\` gives up what was run before. Nothing is kept of a run until then.`,
  });
