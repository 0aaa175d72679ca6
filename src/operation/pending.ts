import { readdir, rm, rmdir } from "node:fs/promises";
import path from "node:path";
import { type RefChange, updateRefs } from "../git/ref-transaction.js";
import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import type { Operation } from "./operation.js";

/** Below this lie the refs that keep an operation's objects from being collected while it runs. */
export const pendingUnder = (operation: string): string => `refs/kai/pending/${operation}/`;

/** One ref for each object that the operation will name, and one for its entry. */
export function pendingRefs(operation: Operation, entry: string): RefChange[] {
  const targets = new Set([entry]);
  for (const change of operation.changes) if (change.new !== null) targets.add(change.new);
  return [...targets].map((target, index) => ({
    ref: `${pendingUnder(operation.id)}${index}`,
    old: null,
    new: target,
  }));
}

/** Lets go of what was kept for an operation that did not happen. */
export async function dropPending(repository: Repository, operation: string): Promise<void> {
  const listed = await runGit(repository, [
    "for-each-ref",
    "--format=%(refname) %(objectname)",
    pendingUnder(operation),
  ]);
  const changes = listed
    .toString()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [ref = "", old = ""] = line.split(" ");
      return { ref, old, new: null };
    });
  await updateRefs(repository, changes);
}

/** Pending refs without a journal: that they went did not last through a loss of power, and that the journal went did. */
export async function dropOrphans(repository: Repository): Promise<void> {
  const pending = path.join(repository.commonDir, "refs/kai/pending");
  for (const operation of await readdir(pending).catch(() => [])) {
    const folder = path.join(pending, operation);
    for (const name of await readdir(folder).catch(() => [])) {
      if (name.endsWith(".lock")) await rm(path.join(folder, name), { force: true });
    }
    await dropPending(repository, operation);
    await rmdir(folder).catch(() => {});
  }
}
