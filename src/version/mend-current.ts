import { KaiError } from "../error.js";
import { makeObject } from "../git/object.js";
import type { ObjectReader } from "../git/object-reader.js";
import { type RefChange, updateRefs } from "../git/ref-transaction.js";
import type { Repository } from "../git/repository.js";
import { writeObjects } from "../git/write-objects.js";
import { CURRENT_REF } from "../operation/entry.js";
import type { History, OutlinedRef } from "./history.js";

/**
 * Puts the tag `current` back to what the verified log says, where somebody moved, deleted or made it. What was found is
 * kept under refs/kai/conflict, and E114 says so: the user looks before anything else is written.
 */
export async function mendCurrent(
  repository: Repository,
  reader: ObjectReader,
  history: History,
  tags: readonly OutlinedRef[],
  request: { readonly id: string; readonly inherit: readonly number[] },
): Promise<void> {
  const now = tags.find(({ ref }) => ref.name === CURRENT_REF)?.ref.id ?? null;
  const wanted = history.current?.pointer ?? null;
  if (now === wanted) return;
  if (wanted !== null) await restorePointer(repository, reader, history, wanted, request.inherit);
  const kept = `refs/kai/conflict/${request.id}/tags/current`;
  const changes: RefChange[] = [{ ref: CURRENT_REF, old: now, new: wanted }];
  if (now !== null) changes.push({ ref: kept, old: null, new: now });
  await updateRefs(repository, changes, { inherit: request.inherit });
  throw new KaiError(
    "E114",
    now === null
      ? "The tag `current` was gone; it is back where the log says."
      : `The tag \`current\` was not what the log says; it is again, and what was found is kept as ${kept}`,
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
