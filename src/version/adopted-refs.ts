import { KaiError } from "../error.js";
import type { RefChange } from "../git/ref-transaction.js";
import type { Ref } from "../git/refs.js";
import { CURRENT_REF, type Entry, type LoggedEntry, NOTES_REF } from "../operation/entry.js";

/**
 * What of a remote's refs, fetched below `under`, becomes this clone's own beside the log; `newest` is that log's newest
 * entry. `current` is what the log says, whatever the remote's tag says; one of another origin that was here is kept
 * under refs/kai/conflict. E121 where the remote's `current` is not what its log says.
 */
export function planAdoptedRefs(
  refs: readonly Pick<Ref, "name" | "id">[],
  under: string,
  newest: Pick<Entry, "id" | "current">,
  log: readonly Pick<LoggedEntry, "changes">[],
): RefChange[] {
  const at = new Map(refs.map((ref) => [ref.name, ref.id]));
  const changes: RefChange[] = [];
  const take = (ref: string, next: string | undefined) => {
    const old = at.get(ref) ?? null;
    if (next !== undefined && old !== next) changes.push({ ref, old, new: next });
  };
  take(NOTES_REF, at.get(`${under}/notes`));
  const pointer = newest.current.after?.pointer;
  if (pointer !== undefined && at.get(`${under}/tags/current`) !== pointer) {
    throw new KaiError("E121", "The remote's tag `current` is not what its log says is in force.", {
      hint: "Compare `git ls-remote` with `git log refs/kai/remotes` and ask whoever released it.",
    });
  }
  const former = at.get(CURRENT_REF);
  const made = log.some((entry) => entry.changes.some(({ ref, new: to }) => ref === CURRENT_REF && to === former));
  if (former !== undefined && former !== pointer && !made) {
    take(`refs/kai/conflict/${newest.id}/tags/current`, former);
    if (pointer === undefined) changes.push({ ref: CURRENT_REF, old: former, new: null });
  }
  take(CURRENT_REF, pointer);
  for (const [name, id] of at) {
    const [kind, rest] = name.startsWith(`${under}/`) ? splitOnce(name.slice(under.length + 1)) : [];
    if (kind === "state") take(`refs/kai/state/${rest}`, id);
    if (kind === "tags" && rest !== "current" && !at.has(`refs/tags/${rest}`)) take(`refs/tags/${rest}`, id);
  }
  return changes;
}

function splitOnce(name: string): [string, string] {
  const slash = name.indexOf("/");
  return slash < 0 ? [name, ""] : [name.slice(0, slash), name.slice(slash + 1)];
}
