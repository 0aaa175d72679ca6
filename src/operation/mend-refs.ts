import type { Repository } from "../git/repository.js";
import { beginJournal, removeJournal } from "./journal.js";
import { kaiFolderOf } from "./kai-folder.js";
import { dropPending } from "./pending.js";

/**
 * Does `work`, which puts refs back to what the log says, under the lock and under a journal: by it, whoever comes after a crash
 * knows that the locks of these refs, and pending refs of this id, are a dead one's. The work must bear to be done again.
 */
export async function mendRefs<T>(
  repository: Repository,
  { id, refs }: { readonly id: string; readonly refs: readonly string[] },
  work: () => Promise<T>,
): Promise<T> {
  const journal = await beginJournal(kaiFolderOf(repository).journal, {
    step: "begin",
    operation: id,
    kind: "recover",
    refs,
    commonDir: repository.commonDir,
    indexOf: null,
    workTree: repository.workTree ?? null,
    agents: null,
  });
  try {
    return await work();
  } finally {
    await dropPending(repository, id);
    await removeJournal(journal);
  }
}
