import { noteWith } from "../git/notes.js";
import type { Ref } from "../git/refs.js";
import { canonicalJson } from "../operation/canonical-json.js";
import type { LoggedEntry } from "../operation/entry.js";
import { findRecord } from "./find-record.js";
import { promotionOf } from "./standing.js";
import { outlineTag } from "./tag-outline.js";

/** A version as the entry that made it tells of it. */
export interface MadeVersion {
  readonly version: string;
  readonly tag: string;
  /** Object ids of its tag, of its commit, and of the entry, whose tree holds the bytes of tag and record. */
  readonly tagId: string;
  readonly commit: string;
  readonly entry: string;
}

/** What the log holds and tags and notes lack. */
export interface MissingProjection {
  /** Versions whose tag, or its object, is not here. A tag that somebody put in its place stays. */
  readonly tags: readonly MadeVersion[];
  /** Versions whose record no note holds, or whose tag does not tell which that is. */
  readonly records: readonly MadeVersion[];
}

/** The versions that a log made, oldest first; `log` is newest first. */
export function madeVersions(log: readonly LoggedEntry[]): MadeVersion[] {
  const made: MadeVersion[] = [];
  for (const { details, changes, commit: entry } of log.toReversed()) {
    const { version, tag, commit } = details;
    if (typeof version !== "string" || typeof tag !== "string" || typeof commit !== "string") continue;
    const tagId = changes.find(({ ref }) => ref === `refs/tags/${tag}`)?.new;
    if (tagId) made.push({ version, tag, tagId, commit, entry });
  }
  return made;
}

/** Compares what a log made with the refs of refs/tags and the texts of notes, by their commit. */
export function planRebuild(
  log: readonly LoggedEntry[],
  refs: readonly Pick<Ref, "name" | "id" | "type" | "latin1">[],
  notes: ReadonlyMap<string, string>,
): MissingProjection {
  const here = new Map(refs.map((ref) => [ref.name, ref]));
  const tags: MadeVersion[] = [];
  const records: MadeVersion[] = [];
  for (const each of madeVersions(log)) {
    const ref = here.get(`refs/tags/${each.tag}`);
    if (ref === undefined || (ref.type === "missing" && ref.id === each.tagId)) tags.push(each);
    const digest =
      ref?.id === each.tagId && ref.latin1 !== undefined ? outlineTag(ref.latin1)?.version?.record : undefined;
    if (digest === undefined || findRecord(notes.get(each.commit) ?? "", digest) === undefined) records.push(each);
  }
  return { tags, records };
}

/** Whole new texts of the notes that get `records` back, by commit, with the lines of what was said of those versions, or left them. */
export function planNotes(
  records: readonly (Pick<MadeVersion, "commit" | "tagId"> & { readonly line: string })[],
  log: readonly LoggedEntry[],
  notes: ReadonlyMap<string, string>,
): Map<string, string> {
  const texts = new Map<string, string>();
  const add = (commit: string, line: string) => {
    const text = texts.get(commit) ?? notes.get(commit) ?? "";
    if (!text.split("\n").includes(line)) texts.set(commit, noteWith(text, `${line}\n`));
  };
  for (const { commit, line } of records) add(commit, line);
  const commits = new Map(records.map(({ tagId, commit }) => [tagId, commit]));
  for (const entry of log.toReversed()) {
    const about = entry.kind === "rollback" ? entry.current.before?.tag : promotionOf(entry)?.object;
    const commit = commits.get(about ?? "");
    if (commit === undefined || notes.get(commit)?.includes(entry.id)) continue;
    add(commit, entryLine(entry));
  }
  return texts;
}

/** What the note of a version says of the operation. */
const entryLine = ({ at, actor, kind, id, restored, subject, withdrawn }: LoggedEntry): string =>
  canonicalJson({ at, by: actor, format: "kai-entry/1", kind, operation: id, restored, subject, withdrawn });
