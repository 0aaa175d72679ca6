import { constants } from "node:fs";
import { open, readFile, readlink, rename, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { syncFolder, writeDurably } from "../system/durable-file.js";
import { findStat } from "../system/path-bytes.js";
import { canonicalJson } from "./canonical-json.js";

/** A symbolic link that an operation switches; whoever reads it sees the old one or the new one. */
export interface LinkChange {
  /** Absolute. */
  readonly link: string;
  /** What it is to say, relative to its folder; null for no link. */
  readonly target: string | null;
  /** What the plan saw there; null for nothing. */
  readonly before: string | null;
  /** A line, without its line feed and like no other, that is appended to a file when the link has been switched. */
  readonly log: { readonly file: string; readonly line: string } | null;
}

/** The manifest of `applyLinks` in an operation's staging folder. */
const MANIFEST = "links.json";

/** How much of a log's end is searched for a line that an earlier run appended. */
const TAIL = 64 * 1024;

/** Notes in the staging folder which links are switched once the operation has happened. */
export const stageLinks = (folder: string, links: readonly LinkChange[]): Promise<void> =>
  writeDurably(path.join(folder, MANIFEST), canonicalJson(links));

/** What was left alone, by path. */
export interface LeftLinks {
  /** Links that somebody else changed, or that would lead to nothing. */
  readonly links: readonly string[];
  /** Files of somebody else's where the log of a link should be. */
  readonly logs: readonly string[];
}

/** Switches the links that were staged in `folder`; may be run again after a crash at any point. */
export async function applyLinks(folder: string): Promise<LeftLinks> {
  const text = await readFile(path.join(folder, MANIFEST), "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT") throw cause;
    return undefined;
  });
  const left = { links: [] as string[], logs: [] as string[] };
  if (text === undefined) return left;
  // The link and its log mostly lie in one folder, which is then synced once.
  const touched = new Set<string>();
  for (const change of JSON.parse(text) as LinkChange[]) {
    const { link, log } = change;
    const switched = await besidesOthers(() => switchLink(change, path.basename(folder)));
    if (switched) touched.add(path.dirname(link));
    else left.links.push(link);
    if (!switched || log === null) continue;
    if (await besidesOthers(() => appendOnce(log))) touched.add(path.dirname(log.file));
    else left.logs.push(log.file);
  }
  for (const each of touched) await syncFolder(each);
  return left;
}

/** What somebody else put in the way, or took away: no reason never to come to an end. */
const OTHERS = new Set(["ENOENT", "ENOTDIR", "EISDIR", "ELOOP", "ENXIO", "EINVAL"]);

async function besidesOthers(work: () => Promise<boolean>): Promise<boolean> {
  try {
    return await work();
  } catch (cause) {
    if (!OTHERS.has((cause as NodeJS.ErrnoException).code ?? "")) throw cause;
    return false;
  }
}

/** False where what the plan saw is not there any more. */
async function switchLink({ link, target, before }: LinkChange, operation: string): Promise<boolean> {
  const folder = path.dirname(link);
  const aside = path.join(folder, `.${path.basename(link)}-${operation}`);
  // What a run that was cut short made.
  await rm(aside, { force: true });
  const now = await readLink(link);
  if (now !== target) {
    if (now !== before) return false;
    if (target === null) await rm(link);
    else {
      if (!(await findStat(path.resolve(folder, target)))?.isDirectory()) return false;
      await symlink(target, aside);
      await rename(aside, link);
    }
  }
  return true;
}

/** What a link says; null where nothing is. EINVAL where something else is. */
export const readLink = (link: string): Promise<string | null> =>
  readlink(link).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT") throw cause;
    return null;
  });

/** Appends a line unless it is there; what a crash tore off it goes first. */
async function appendOnce({ file, line }: { file: string; line: string }): Promise<boolean> {
  const handle = await open(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o644);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) return false;
    const start = Math.max(0, stat.size - TAIL);
    const tail = Buffer.alloc(stat.size - start);
    await handle.read(tail, 0, tail.length, start);
    const lines = tail.toString("latin1").split("\n");
    const torn = lines.pop() ?? "";
    const bytes = Buffer.from(`${line}\n`);
    if (!lines.includes(bytes.subarray(0, -1).toString("latin1"))) {
      // What was to be there when the power went may be there as zeros.
      const written = torn.replace(/\0+$/, "");
      const ours = bytes.toString("latin1").startsWith(written);
      const at = stat.size - (ours ? torn.length : torn.length - written.length);
      const added = ours ? bytes : Buffer.concat([Buffer.from("\n"), bytes]);
      if (at < stat.size) await handle.truncate(at);
      await handle.write(added, 0, added.length, at);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return true;
}
