import { KaiError } from "../error.js";
import { makeObject } from "../git/object.js";
import type { ObjectReader } from "../git/object-reader.js";
import { type RefChange, updateRefs } from "../git/ref-transaction.js";
import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import { writeObjects } from "../git/write-objects.js";
import { CURRENT_REF } from "../operation/entry.js";
import { mendRefs } from "../operation/mend-refs.js";
import { syncRefFolders } from "../operation/sync-ref-folders.js";
import type { History } from "./history.js";
import type { TagList } from "./outlined-ref.js";

/**
 * Puts the tag `current` back to what the verified log says, where somebody moved, deleted or made it. What was found is kept
 * under refs/kai/conflict, and E114 says so: the user looks before anything else is written. Cut short anywhere, it is done
 * again by the next command that writes. A tag whose object alone is gone gets it back, and nothing is said.
 */
export async function mendCurrent(
  repository: Repository,
  reader: ObjectReader,
  history: History,
  tags: TagList,
  { id, inherit }: { readonly id: string; readonly inherit: readonly number[] },
): Promise<void> {
  const found = tags.named(CURRENT_REF)?.ref;
  const [now, wanted] = [found?.id ?? null, history.current?.pointer ?? null];
  const isMissing = found?.type === "missing";
  if (now === wanted && !isMissing) return;
  // Of an object that is not here there is nothing to keep.
  const keeping = now === wanted || isMissing ? undefined : await keepingOf(repository, now, id);
  // What was found is named first: once `current` has moved, nothing else leads to it.
  const changes = [...(keeping ? [keeping] : []), { ref: CURRENT_REF, old: now, new: wanted }];
  await mendRefs(repository, { id, refs: changes.map(({ ref }) => ref) }, async () => {
    if (wanted !== null) await restorePointer(repository, reader, history, wanted, inherit);
    for (const change of changes.filter((each) => each.old !== each.new)) {
      await updateRefs(repository, [change], { inherit });
      await syncRefFolders(repository, [change.ref]);
    }
  });
  if (now !== wanted) throw mended(now, keeping?.ref);
}

/** The ref that keeps what was found: one that has it already, where this was cut short before or somebody did it twice. */
async function keepingOf(repository: Repository, found: string | null, id: string): Promise<RefChange | undefined> {
  if (found === null) return undefined;
  const args = ["for-each-ref", "--format=%(objectname) %(refname)", "refs/kai/conflict"];
  const listed = (await runGit(repository, args)).toString().split("\n");
  const known = listed.find((line) => line.startsWith(`${found} `) && line.endsWith("/tags/current"));
  return known === undefined
    ? { ref: `refs/kai/conflict/${id}/tags/current`, old: null, new: found }
    : { ref: known.slice(found.length + 1), old: found, new: found };
}

function mended(found: string | null, kept: string | undefined): KaiError {
  const was = kept === undefined ? "; what it named is not here" : `, and what was found is kept as ${kept}`;
  return new KaiError(
    "E114",
    found === null
      ? "The tag `current` was gone; it is back where the log says."
      : `The tag \`current\` was not what the log says; it is again${was}`,
    { hint: "`git kai-version log` shows what was done. Run the command again." },
  );
}

/** The log's entry holds the tag's bytes; git may have pruned the object. */
async function restorePointer(
  repository: Repository,
  reader: ObjectReader,
  history: History,
  pointer: string,
  inherit: readonly number[],
): Promise<void> {
  if ((await reader.find(pointer)) !== undefined) return;
  const made = history.findEntry(({ changes }) =>
    changes.some(({ ref, new: to }) => ref === CURRENT_REF && to === pointer),
  );
  const content = made && (await reader.find(`${made.commit}:tags/current`))?.content;
  const tag = content && makeObject("tag", content, repository.objectFormat);
  if (tag?.id !== pointer)
    throw new KaiError("E121", "The log cannot be trusted: it lacks the tag `current` it speaks of.");
  await writeObjects(repository, [tag], inherit);
}
