import { KaiError } from "../error.js";
import { fetchRefs, listRemoteRefs, listRemotes } from "../git/network.js";
import { ObjectReader } from "../git/object-reader.js";
import { type RefChange, updateRefs } from "../git/ref-transaction.js";
import { listRefs, type Ref } from "../git/refs.js";
import type { Repository } from "../git/repository.js";
import { CURRENT_REF, LOG_REF, NOTES_REF } from "../operation/entry.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { readLog } from "../operation/log.js";
import { syncRefFolders } from "../operation/sync-ref-folders.js";
import { type TrustRoot, writeTrustRoot } from "../trust/trust-root.js";
import { findRootOf, readTrustedLog, type TrustedLog } from "../trust/trusted-log.js";
import { requireSeen } from "./rolled-back-log.js";

export interface Adopted {
  readonly root: TrustRoot;
  readonly log: TrustedLog;
  /** The remote it came from; null where the log was here already. */
  readonly remote: string | null;
}

/** The remote that has a log to adopt; undefined where none has. */
export async function findAgentRemote(repository: Repository, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const remote of await listRemotes(repository)) {
    if ((await listRemoteRefs(repository, env, remote, [LOG_REF])).length > 0) return remote;
  }
  return undefined;
}

/**
 * Fetches an agent's log, notes and captured state from `remote`, verifies the whole log from its first entry on, and only
 * then makes them this clone's own and pins that entry, or finds it `known` from before. E121 where the log does not hold.
 */
export async function adoptAgent(
  repository: Repository,
  env: NodeJS.ProcessEnv,
  remote: string,
  known: TrustRoot | undefined,
  inherit: readonly number[],
): Promise<Adopted> {
  const under = `refs/kai/remotes/${remote}`;
  const there = await listRemoteRefs(repository, env, remote, [NOTES_REF, "refs/kai/state/*"]);
  // Everything is kept apart until it is believed, tags too: one that is here is never overwritten.
  await fetchRefs(repository, env, remote, [
    `+${LOG_REF}:${under}/log`,
    `+refs/tags/*:${under}/tags/*`,
    ...(there.includes(NOTES_REF) ? [`+${NOTES_REF}:${under}/notes`] : []),
    ...(there.some((ref) => ref.startsWith("refs/kai/state/")) ? [`+refs/kai/state/*:${under}/state/*`] : []),
  ]);
  return takeOver(repository, remote, under, known, inherit);
}

async function takeOver(
  repository: Repository,
  remote: string,
  under: string,
  known: TrustRoot | undefined,
  inherit: readonly number[],
): Promise<Adopted> {
  const reader = new ObjectReader(repository);
  try {
    const root = known ?? (await findRootOf(repository, reader, `${under}/log`));
    // A pin from before holds: the log must begin with its entry and have what this clone saw last.
    if (known) requireSeen(await readLog(repository, `${under}/log`), known);
    const log = await readTrustedLog(repository, reader, { ...root, seen: root.root }, { ref: `${under}/log` });
    const refs = await listRefs(repository, [under, LOG_REF, NOTES_REF, "refs/tags", "refs/kai/state"]);
    const changes = adoptedRefs(refs, under, log);
    await updateRefs(repository, changes, { inherit });
    await syncRefFolders(
      repository,
      changes.map((change) => change.ref),
    );
    const pinned = { ...root, seen: log.head };
    await writeTrustRoot(kaiFolderOf(repository).trust, pinned);
    return { root: pinned, log, remote };
  } finally {
    reader.close();
  }
}

/** What becomes this clone's own; `current` is what the log says, whatever the remote's tag says. */
function adoptedRefs(refs: readonly Ref[], under: string, log: TrustedLog): RefChange[] {
  const at = new Map(refs.map((ref) => [ref.name, ref.id]));
  const changes: RefChange[] = [];
  const take = (ref: string, next: string | undefined) => {
    const old = at.get(ref) ?? null;
    if (next !== undefined && old !== next) changes.push({ ref, old, new: next });
  };
  take(LOG_REF, log.head);
  take(NOTES_REF, at.get(`${under}/notes`));
  const pointer = log.entry.current.after?.pointer;
  if (pointer !== undefined && at.get(`${under}/tags/current`) !== pointer) {
    throw new KaiError("E121", "The remote's tag `current` is not what its log says is in force.", {
      hint: "Compare `git ls-remote` with `git log refs/kai/remotes` and ask whoever released it.",
    });
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

/** Pins a log that is here and that this clone has not adopted, such as that of a mirror clone. */
export async function pinLocalLog(repository: Repository): Promise<Adopted> {
  const reader = new ObjectReader(repository);
  try {
    const root = await findRootOf(repository, reader, LOG_REF);
    const log = await readTrustedLog(repository, reader, root);
    const pinned = { ...root, seen: log.head };
    await writeTrustRoot(kaiFolderOf(repository).trust, pinned);
    return { root: pinned, log, remote: null };
  } finally {
    reader.close();
  }
}
