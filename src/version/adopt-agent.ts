import { KaiError } from "../error.js";
import { fetchRefs, listRemoteRefs, listRemotes } from "../git/network.js";
import { ObjectReader } from "../git/object-reader.js";
import { updateRefs } from "../git/ref-transaction.js";
import { listRefs } from "../git/refs.js";
import type { Repository } from "../git/repository.js";
import { tryGit } from "../git/run-git.js";
import { LOG_REF, NOTES_REF } from "../operation/entry.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { readLog } from "../operation/log.js";
import { syncRefFolders } from "../operation/sync-ref-folders.js";
import { type TrustRoot, writeTrustRoot } from "../trust/trust-root.js";
import { findRootOf, readTrustedLog } from "../trust/trusted-log.js";
import { planAdoptedRefs } from "./adopted-refs.js";
import { requireSeen } from "./rolled-back-log.js";

export interface Adopted {
  readonly root: TrustRoot;
  /** The remote it came from; null where the log was here already. */
  readonly remote: string | null;
}

const STATE_REFS = "refs/kai/state/*";

/** The remote that has a log to adopt; undefined where none has. */
export async function findAgentRemote(repository: Repository, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const remote of await listRemotes(repository)) {
    if ((await listRemoteRefs(repository, env, remote, [LOG_REF])).size > 0) return remote;
  }
  return undefined;
}

/**
 * The remote whose log, notes or captured state this clone, which has a log, lacks or has otherwise; undefined where none
 * has. A remote that cannot be reached is passed over and told of, unless something of it was fetched and waits.
 */
export async function findNews(
  repository: Repository,
  env: NodeJS.ProcessEnv,
  { pinned, progress }: { pinned: boolean; progress: (message: string) => void },
): Promise<string | undefined> {
  const here = new Map((await listRefs(repository, ["refs/kai", NOTES_REF])).map((ref) => [ref.name, ref.id]));
  const head = here.get(LOG_REF) ?? "";
  // A pinned log came last, with all else in place.
  const patterns = pinned ? [LOG_REF] : [LOG_REF, NOTES_REF, STATE_REFS];
  for (const remote of await listRemotes(repository)) {
    let there: ReadonlyMap<string, string>;
    try {
      there = await listRemoteRefs(repository, env, remote, patterns);
    } catch (cause) {
      const fetched = here.get(`refs/kai/remotes/${remote}/log`);
      if (fetched !== undefined && !(await isAncestor(repository, fetched, head))) throw cause;
      progress(`The remote ${remote} cannot be reached`);
      continue;
    }
    const theirs = there.get(LOG_REF);
    if (theirs === undefined || [...there].every(([ref, id]) => here.get(ref) === id)) continue;
    if (theirs !== head && (await isAncestor(repository, theirs, head))) continue;
    return remote;
  }
  return undefined;
}

/** Whether `older` is here and the log at `newer` goes on from it. */
async function isAncestor(repository: Repository, older: string, newer: string): Promise<boolean> {
  return (await tryGit(repository, ["merge-base", "--is-ancestor", older, newer])).exitCode === 0;
}

/**
 * Fetches an agent's log, notes and captured state from `remote`, verifies the log (from its first entry on, or where it
 * goes on from the one that is here, from the entry that this clone saw last), and only then makes them this clone's own
 * and pins the log, or finds it `known` from before. E121 where the log does not hold, or does not go on from the one here.
 */
export async function adoptAgent(
  repository: Repository,
  env: NodeJS.ProcessEnv,
  remote: string,
  known: TrustRoot | undefined,
  inherit: readonly number[],
): Promise<Adopted> {
  const under = `refs/kai/remotes/${remote}`;
  const there = [...(await listRemoteRefs(repository, env, remote, [NOTES_REF, STATE_REFS])).keys()];
  // Everything is kept apart until it is believed, tags too: one that is here is never overwritten.
  await fetchRefs(repository, env, remote, [
    `+${LOG_REF}:${under}/log`,
    `+refs/tags/*:${under}/tags/*`,
    ...(there.includes(NOTES_REF) ? [`+${NOTES_REF}:${under}/notes`] : []),
    ...(there.some((ref) => ref.startsWith("refs/kai/state/")) ? [`+${STATE_REFS}:${under}/state/*`] : []),
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
    const here = (await listRefs(repository, [LOG_REF]))[0]?.id;
    if (here !== undefined && !(await isAncestor(repository, here, `${under}/log`))) throw diverged(remote);
    const root = known ?? (await findRootOf(repository, reader, `${under}/log`));
    const entries = await readLog(repository, { from: `${under}/log` });
    // A pin from before holds: the log must begin with its entry and have what this clone saw last.
    if (known) requireSeen(entries, known);
    const from = here === undefined ? { ...root, seen: root.root } : root;
    const log = await readTrustedLog(repository, reader, from, { ref: `${under}/log` });
    const refs = await listRefs(repository, [under, NOTES_REF, "refs/tags", "refs/kai/state", "refs/kai/conflict"]);
    const changes = planAdoptedRefs(refs, under, log.entry, entries);
    // The log comes last: where it is, all that it speaks of is here.
    for (const step of [changes, here === log.head ? [] : [{ ref: LOG_REF, old: here ?? null, new: log.head }]]) {
      await updateRefs(repository, step, { inherit });
      await syncRefFolders(
        repository,
        step.map((change) => change.ref),
      );
    }
    const pinned = { ...root, seen: log.head };
    await writeTrustRoot(kaiFolderOf(repository).trust, pinned);
    return { root: pinned, remote };
  } finally {
    reader.close();
  }
}

const diverged = (remote: string): KaiError =>
  new KaiError(
    "E121",
    `The log of ${remote} does not go on from the log here: both went on apart, or one was replaced.`,
    {
      hint: `Nothing was changed. Joining logs is not there yet: compare \`git log refs/kai/log\` with \`git log refs/kai/remotes/${remote}/log\`, keep one, and create again there what the other has.`,
    },
  );

/** Pins a log that is here and that this clone has not adopted, such as that of a mirror clone. */
export async function pinLocalLog(repository: Repository): Promise<Adopted> {
  const reader = new ObjectReader(repository);
  try {
    const root = await findRootOf(repository, reader, LOG_REF);
    const log = await readTrustedLog(repository, reader, root);
    const pinned = { ...root, seen: log.head };
    await writeTrustRoot(kaiFolderOf(repository).trust, pinned);
    return { root: pinned, remote: null };
  } finally {
    reader.close();
  }
}
