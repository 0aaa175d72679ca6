import { readdir, readFile, readlink } from "node:fs/promises";

/**
 * Process ids of live programs called `name…` that work in one of the folders or below, but for children of this very
 * process and those that started it (`git kai-version` is itself a git process); undefined where the system does not tell
 * (no /proc).
 */
export async function findProcessesIn(name: string, folders: readonly string[]): Promise<number[] | undefined> {
  const entries = await readdir("/proc").catch(() => []);
  const ids = entries.filter((entry) => /^\d+$/.test(entry));
  if (ids.length === 0) return undefined;
  const found = await Promise.all(ids.map(async (id) => ((await worksIn(id, name, folders)) ? Number(id) : undefined)));
  const ancestors = await ancestorsOf(process.pid);
  return found.filter((id) => id !== undefined).filter((id) => !ancestors.has(id));
}

/** The process's parent, that one's parent, and so on. */
async function ancestorsOf(id: number): Promise<Set<number>> {
  const ancestors = new Set<number>();
  for (let at = id; at > 1 && !ancestors.has(at); ) {
    const text = await readFile(`/proc/${at}/stat`, "utf8").catch(() => "");
    at = Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
    if (at > 1) ancestors.add(at);
  }
  return ancestors;
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
