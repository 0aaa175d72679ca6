import { link, open, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import type { Repository } from "../git/repository.js";
import { syncFolder } from "../system/durable-file.js";

const MARK = "git-kai-version operation ";

export interface HeldIndex {
  /** Lets go of it for good, and makes what was renamed beside it last. */
  release(): Promise<void>;
}

/**
 * Holds git's `index.lock`, so that a user's `git add` or `git commit` fails cleanly meanwhile. E113 where it is held. It is
 * made in `staging`, synced and linked into place whole: an empty one, after a crash or a loss of power, would be anybody's.
 */
export async function holdIndex(
  repository: Pick<Repository, "gitDir">,
  staging: string,
  operation: string,
): Promise<HeldIndex> {
  const file = path.join(repository.gitDir, "index.lock");
  const aside = path.join(staging, `index-lock-${operation}`);
  try {
    await writeSynced(aside, `${MARK}${operation}\n`);
    await link(aside, file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    throw new KaiError("E113", `Another git process holds ${file}.`, {
      hint: "Wait for it to end and run the command again; if no git process runs, remove that file.",
    });
  } finally {
    // One that cannot be removed now is swept up with the rest of the folder.
    await rm(aside, { force: true }).catch(() => {});
  }
  let held = true;
  return {
    async release() {
      // Once it is let go of, the next one is somebody else's.
      if (!held) return;
      held = false;
      await rm(file, { force: true });
      await syncFolder(repository.gitDir);
    },
  };
}

async function writeSynced(file: string, text: string): Promise<void> {
  const handle = await open(file, "w");
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The operation of ours that left `index.lock` behind; undefined where there is none, or it is somebody else's. */
export async function ownerOfIndexLock(gitDir: string): Promise<string | undefined> {
  const text = await readFile(path.join(gitDir, "index.lock"), "latin1").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return "";
    throw cause;
  });
  return text.startsWith(MARK) ? text.slice(MARK.length).trim() : undefined;
}
