import { readdir, readFile } from "node:fs/promises";
import { fileIdentity } from "./process-paths.js";

/** A program that runs, as far as everybody may know. */
export interface LiveProcess {
  readonly id: number;
  readonly parent: number;
  /** The program's name, cut off after 15 bytes. */
  readonly name: string;
  /** The user to whom the files belong that it makes. */
  readonly fileUser: number;
  /** Its command line, the program first; bytes as latin1 text. */
  readonly args: readonly string[];
}

/** What runs on this machine, without what is ending; undefined where there is no /proc. */
export async function listProcesses(): Promise<LiveProcess[] | undefined> {
  const entries = await readdir("/proc").catch(() => []);
  const ids = entries.filter((entry) => /^\d+$/.test(entry)).map(Number);
  if (ids.length === 0) return undefined;
  const found = await Promise.all(ids.map(findProcess));
  return found.filter((each) => each !== undefined);
}

/** The process of this number; undefined where there is none, or it is ending: then it writes nothing more. */
export async function findProcess(id: number): Promise<LiveProcess | undefined> {
  try {
    const status = await readFile(`/proc/${id}/status`, "latin1");
    const field = (name: string): string => new RegExp(`^${name}:\\t(.*)$`, "m").exec(status)?.[1] ?? "";
    // One that is ending gives up its memory first.
    if (/^[ZX]/.test(field("State")) || field("VmSize") === "") return undefined;
    const args = split(await readFile(`/proc/${id}/cmdline`, "latin1"));
    // Real, effective, saved, of files.
    const fileUser = Number(field("Uid").split("\t")[3]);
    return { id, parent: Number(field("PPid")), name: field("Name"), fileUser, args };
  } catch {
    // It ended, or the system shows nobody's processes but one's own.
    return undefined;
  }
}

/** Whether processes of other users are shown at all (`hidepid`). */
export const showsEverybody = (): Promise<boolean> =>
  readFile("/proc/1/status").then(
    () => true,
    () => false,
  );

/** The variables that a process was started with, as latin1 text; undefined where this user may not look. */
export async function environmentOf(id: number): Promise<Map<string, string> | undefined> {
  try {
    const entries = split(await readFile(`/proc/${id}/environ`, "latin1"));
    return new Map(entries.map((entry) => splitOnce(entry)));
  } catch (cause) {
    return isGone(cause) ? new Map() : undefined;
  }
}

/** Whether a process has one of these files open, told by their identities. */
export async function hasOpen(id: number, identities: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${id}/fd`;
  for (const name of await readdir(folder).catch(() => [])) {
    const identity = await fileIdentity(`${folder}/${name}`);
    if (identity !== undefined && identities.has(identity)) return true;
  }
  return false;
}

const isGone = (cause: unknown): boolean => ["ENOENT", "ESRCH"].includes((cause as NodeJS.ErrnoException).code ?? "");

const split = (text: string): string[] => text.replace(/\0$/, "").split("\0");

function splitOnce(entry: string): [string, string] {
  const at = entry.indexOf("=");
  return at < 0 ? [entry, ""] : [entry.slice(0, at), entry.slice(at + 1)];
}
