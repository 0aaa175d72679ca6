import { commitNotes, type NoteCommit } from "../git/notes.js";
import { type GitObject, makeObject } from "../git/object.js";
import type { ObjectReader } from "../git/object-reader.js";
import { type RefChange, updateRefs } from "../git/ref-transaction.js";
import { listRefs } from "../git/refs.js";
import type { Repository } from "../git/repository.js";
import { parseTag } from "../git/tag-object.js";
import { writeObjects } from "../git/write-objects.js";
import { type LoggedEntry, NOTES_REF } from "../operation/entry.js";
import { mendRefs } from "../operation/mend-refs.js";
import { pendingUnder } from "../operation/pending.js";
import { syncRefFolders } from "../operation/sync-ref-folders.js";
import { findRecord } from "./find-record.js";
import { type MadeVersion, madeVersions, planNotes, planRebuild } from "./plan-rebuild.js";
import { listNotes, readNotes } from "./read-notes.js";
import { parseVersionTag } from "./tag-text.js";

/** The versions whose records and tags were made again. */
export interface Rebuilt {
  readonly records: readonly string[];
  readonly tags: readonly string[];
}

export interface RebuildRequest {
  /** A ULID, which no operation has. */
  readonly id: string;
  readonly at: Date;
  /** Descriptors that git is handed on: the lock's. */
  readonly inherit: readonly number[];
}

/**
 * Makes records and versions' tags that are missing again from the verified `log`, whose entries hold their bytes: all at
 * once, or none. What somebody put in the place of a tag stays, and so does every line of a note. Under the lock.
 */
export async function rebuildProjection(
  repository: Repository,
  reader: ObjectReader,
  log: readonly LoggedEntry[],
  request: RebuildRequest,
): Promise<Rebuilt> {
  const made = madeVersions(log);
  if (made.length === 0) return { records: [], tags: [] };
  const [refs, noted, before] = await Promise.all([
    listRefs(repository, ["refs/tags"]),
    listNotes(repository, NOTES_REF),
    reader.find(NOTES_REF),
  ]);
  const notes = await readNotes(reader, noted, new Set(made.map(({ commit }) => commit)));
  const missing = planRebuild(log, refs, notes);
  const objects = await readTags(repository, reader, missing.tags);
  const records = await readRecords(reader, missing.records);
  const texts = planNotes(records, log, notes);
  if (objects.length > 0 || texts.size > 0) {
    const here = new Set(refs.map(({ name }) => name));
    await write(repository, request, {
      objects: objects.map(({ object }) => object),
      tags: objects
        .map(({ tag, object }) => ({ ref: `refs/tags/${tag}`, old: null, new: object.id }))
        .filter(({ ref }) => !here.has(ref)),
      notes: { parent: before?.id ?? null, texts },
    });
  }
  return {
    records: records
      .filter(({ commit, line }) => !notes.get(commit)?.split("\n").includes(line))
      .map(({ version }) => version),
    tags: objects.map(({ version }) => version),
  };
}

interface Writing {
  readonly objects: readonly GitObject[];
  readonly tags: readonly RefChange[];
  readonly notes: { readonly parent: string | null; readonly texts: ReadonlyMap<string, string> };
}

async function write(
  repository: Repository,
  { id, at, inherit }: RebuildRequest,
  { objects, tags, notes }: Writing,
): Promise<void> {
  const noted = notes.texts.size > 0;
  const refs = [...tags.map(({ ref }) => ref), ...(noted ? [NOTES_REF] : [])];
  await mendRefs(repository, { id, refs }, async () => {
    await writeObjects(repository, objects, inherit);
    const made = noted ? await commitNotes(repository, noteCommit(id, at, notes), inherit) : undefined;
    const changes = [...tags, ...(made === undefined ? [] : [{ ref: NOTES_REF, old: notes.parent, new: made }])];
    await updateRefs(repository, changes, { inherit });
    await syncRefFolders(
      repository,
      changes.map(({ ref }) => ref),
    );
  });
}

const noteCommit = (id: string, at: Date, { parent, texts }: Writing["notes"]): NoteCommit => ({
  ref: `${pendingUnder(id)}notes`,
  parent,
  who: { name: "git kai-version", email: "recover@localhost" },
  at,
  message: "make records again from the log\n",
  notes: texts,
});

/** The tags' objects from their entries; those left out whose commit is not here, for a tag must point at something. */
async function readTags(repository: Repository, reader: ObjectReader, versions: readonly MadeVersion[]) {
  const found = await Promise.all(
    versions.map(async (each): Promise<(MadeVersion & { object: GitObject })[]> => {
      const [file, commit] = await Promise.all([
        reader.find(`${each.entry}:tags/${each.tag}`),
        reader.find(each.commit),
      ]);
      const object = file && commit && makeObject("tag", file.content, repository.objectFormat);
      return object?.id === each.tagId ? [{ ...each, object }] : [];
    }),
  );
  return found.flat();
}

/** The records from their entries, those that are what the signed tag there was made for and whose commit is here. */
async function readRecords(reader: ObjectReader, versions: readonly MadeVersion[]) {
  const found = await Promise.all(
    versions.map(async (each): Promise<(MadeVersion & { line: string })[]> => {
      const [record, file, commit] = await Promise.all([
        reader.find(`${each.entry}:record.json`),
        reader.find(`${each.entry}:tags/${each.tag}`),
        reader.find(each.commit),
      ]);
      const tag = file && parseTag(file.content);
      const digest = tag && !("problem" in tag) ? parseVersionTag(tag.message)?.record : undefined;
      const line = record?.content.toString().replace(/\n$/, "");
      if (commit === undefined || line === undefined || digest === undefined) return [];
      return findRecord(line, digest) === undefined ? [] : [{ ...each, line }];
    }),
  );
  return found.flat();
}
