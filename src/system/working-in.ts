import { findProcess, type LiveProcess, listProcesses } from "./live-processes.js";
import { fileIdentity, liesIn } from "./process-paths.js";

const SHELLS = ["sh", "bash", "dash", "zsh", "fish", "ksh"];

/**
 * The processes that work in a folder or below it: they were most likely started there. Not this one and those that it was
 * started by, nor a shell that waits for somebody to type. Undefined where there is no /proc; who belongs to another user may be
 * missing.
 */
export async function listWorkingIn(folder: string): Promise<LiveProcess[] | undefined> {
  const identity = await fileIdentity(folder);
  const running = await listProcesses();
  if (running === undefined || identity === undefined) return running && [];
  const ours = await ownAncestors();
  const folders = new Set([identity]);
  const found = await Promise.all(
    running.map(async (each) => {
      const others = !ours.has(each.id) && each.parent !== process.pid && !waitsForTyping(each);
      return others && (await liesIn(each.id, `/proc/${each.id}/cwd`, folders)) ? [each] : [];
    }),
  );
  return found.flat();
}

async function ownAncestors(): Promise<Set<number>> {
  const ours = new Set<number>();
  let next: number | undefined = process.pid;
  while (next !== undefined && next > 0 && !ours.has(next)) {
    ours.add(next);
    next = (await findProcess(next))?.parent;
  }
  return ours;
}

/** One with a script, or with `-c`, has more than options behind its name. */
const waitsForTyping = ({ name, args }: LiveProcess): boolean =>
  SHELLS.includes(name) && args.slice(1).every((arg) => arg.startsWith("-"));
