import { readdir, readFile, readlink } from "node:fs/promises";

/**
 * Process ids of live programs called `name…` that work in one of the folders or below, but for children of this very
 * process; undefined where the system does not tell (no /proc).
 */
export async function findProcessesIn(name: string, folders: readonly string[]): Promise<number[] | undefined> {
  const entries = await readdir("/proc").catch(() => []);
  const ids = entries.filter((entry) => /^\d+$/.test(entry));
  if (ids.length === 0) return undefined;
  const found = await Promise.all(ids.map(async (id) => ((await worksIn(id, name, folders)) ? Number(id) : undefined)));
  return found.filter((id) => id !== undefined);
}

async function worksIn(id: string, name: string, folders: readonly string[]): Promise<boolean> {
  try {
    // `id (name) state parent …`; a name may hold blanks and brackets.
    const text = await readFile(`/proc/${id}/stat`, "utf8");
    const end = text.lastIndexOf(")");
    if (!text.slice(text.indexOf("(") + 1, end).startsWith(name)) return false;
    const [state, parent] = text.slice(end + 2).split(" ");
    if (state === "Z" || Number(parent) === process.pid) return false;
    const folder = await readlink(`/proc/${id}/cwd`);
    return folders.some((each) => folder === each || folder.startsWith(`${each}/`));
  } catch {
    // It ended, or belongs to somebody whose processes we may not look at.
    return false;
  }
}
