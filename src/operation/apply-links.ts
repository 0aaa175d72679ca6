import { constants } from "node:fs";
import { access, open, readFile, readlink, rename, rm, symlink, unlink } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import { syncFolder, writeDurably } from "../system/durable-file.js";
import { findStat } from "../system/path-bytes.js";
import { reasonOf } from "../system/reason-of.js";
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

/**
 * Notes in the staging folder which links are switched once the operation has happened, and makes what that needs: the new link
 * beside the old one, and the log. E118 where that cannot be made; `takeBackLinks` takes it away again.
 */
export async function stageLinks(folder: string, links: readonly LinkChange[]): Promise<void> {
  // First, so that whoever comes after a crash knows what to take away.
  await writeDurably(path.join(folder, MANIFEST), canonicalJson(links));
  for (const { link, target, log } of links) {
    const root = path.dirname(link);
    await access(root, constants.W_OK | constants.X_OK).catch(refused(link, root));
    if (target !== null) await symlink(target, asideOf(link, folder)).catch(refused(link, root));
    // What else stands there is left alone, and told when the link is switched.
    if (log !== null) await besidesOthers(async () => (await openLog(log.file)).close()).catch(refused(link, log.file));
  }
}

/** Takes away the links that `stageLinks` made and nobody put in place. */
export async function takeBackLinks(folder: string): Promise<void> {
  for (const { link } of await readStaged(folder)) {
    const aside = asideOf(link, folder);
    if ((await findStat(aside)) === undefined) continue;
    await besidesOthers(() => unlink(aside)).catch(unfinished(`${aside} cannot be removed`, path.dirname(link)));
    await syncFolder(path.dirname(link));
  }
}

/** The links that `stageLinks` noted, absolute. */
export const listStagedLinks = async (folder: string): Promise<string[]> =>
  (await readStaged(folder)).map(({ link }) => link);

/** Those of them that say something else by now than the plan saw. */
export async function listSwitchedSince(folder: string): Promise<string[]> {
  const staged = await readStaged(folder);
  const now = await Promise.all(staged.map(({ link }) => readLink(link).catch(() => undefined)));
  return staged.flatMap(({ link, before }, index) => (now[index] === before ? [] : link));
}

const asideOf = (link: string, folder: string): string =>
  path.join(path.dirname(link), `.${path.basename(link)}-${path.basename(folder)}`);

const refused = (link: string, place: string) =>
  unwritable(`${link} cannot be switched`, place, "Nothing was changed. Mend that, and run it again.");

/** Of what `recover` does again: behind the commit point, and where something is taken away. */
const unfinished = (what: string, place: string) =>
  unwritable(what, place, "Mend that; then `git kai-version recover` brings it to its end.");

const unwritable =
  (what: string, place: string, hint: string) =>
  (cause: unknown): never => {
    throw new KaiError("E118", `${what}: ${place} cannot be written (${reasonOf(cause)}).`, { hint, cause });
  };

/** What was left alone, by path. */
export interface LeftLinks {
  /** Links that somebody else changed, or that would lead to nothing. */
  readonly links: readonly string[];
  /** Files of somebody else's where the log of a link should be. */
  readonly logs: readonly string[];
}

/** Switches the links that were staged in `folder`; may be run again after a crash at any point. */
export async function applyLinks(folder: string): Promise<LeftLinks> {
  const left = { links: [] as string[], logs: [] as string[] };
  // The link and its log mostly lie in one folder, which is then synced once.
  const touched = new Set<string>();
  for (const change of await readStaged(folder)) {
    const { link, log } = change;
    const root = path.dirname(link);
    const switched = await besidesOthers(() => switchLink(change, asideOf(link, folder))).catch(
      unfinished(`${link} could not be switched`, root),
    );
    if (switched) touched.add(root);
    else left.links.push(link);
    if (!switched || log === null) continue;
    const told = await besidesOthers(() => appendOnce(log)).catch(
      unfinished(`${link} is switched, which could not be told`, log.file),
    );
    if (told) touched.add(path.dirname(log.file));
    else left.logs.push(log.file);
  }
  for (const each of touched) await syncFolder(each);
  return left;
}

/** What somebody else put in the way, or took away: no reason never to come to an end. */
const OTHERS = new Set(["ENOENT", "ENOTDIR", "EISDIR", "ELOOP", "ENXIO", "EINVAL"]);

async function besidesOthers<T>(work: () => Promise<T>): Promise<T | false> {
  try {
    return await work();
  } catch (cause) {
    if (!OTHERS.has((cause as NodeJS.ErrnoException).code ?? "")) throw cause;
    return false;
  }
}

/** False where what the plan saw is not there any more. */
async function switchLink({ link, target, before }: LinkChange, aside: string): Promise<boolean> {
  const now = await readLink(link);
  if (now !== target) {
    if (now !== before) return false;
    if (target === null) await rm(link);
    else {
      if (!(await findStat(path.resolve(link, "..", target)))?.isDirectory()) return false;
      // Somebody may have taken it away since it was staged, and a loss of power, too.
      if ((await readLink(aside)) !== target) {
        await rm(aside, { force: true });
        await symlink(target, aside);
      }
      await rename(aside, link);
    }
  }
  return true;
}

async function readStaged(folder: string): Promise<LinkChange[]> {
  const text = await readFile(path.join(folder, MANIFEST), "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT") throw cause;
    return "[]";
  });
  return JSON.parse(text) as LinkChange[];
}

/** What a link says; null where nothing is. EINVAL where something else is. */
export const readLink = (link: string): Promise<string | null> =>
  readlink(link).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT") throw cause;
    return null;
  });

const openLog = (file: string) => open(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o644);

/** Appends a line unless it is there; what a crash tore off it goes first. */
async function appendOnce({ file, line }: { file: string; line: string }): Promise<boolean> {
  const handle = await openLog(file);
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
