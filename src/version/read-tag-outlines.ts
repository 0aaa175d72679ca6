import { ObjectReader } from "../git/object-reader.js";
import { findRefHeads, listRefs, type Ref, type RefHead, type RefHeads, readRefs } from "../git/refs.js";
import type { Repository } from "../git/repository.js";
import { CURRENT_REF } from "../operation/entry.js";
import type { KeptTags } from "./kept-tags.js";
import { listOfRefs, type OutlinedRef, ReadRef, type TagList } from "./outlined-ref.js";

/** Of more tags that are not kept, git gives all faster at once than these one by one. */
const MOST_READ = 500;

/**
 * All tags. What is `kept` is not read again, and what is new is kept. The tag `current` moves with every operation, and nobody
 * asks for more than which it is: where tags are kept its object is not read.
 */
export async function readTagOutlines(
  repository: Repository,
  kept: KeptTags | undefined,
  reader: ObjectReader | undefined,
): Promise<TagList> {
  const heads = kept === undefined || kept.isEmpty ? undefined : await findRefHeads(repository, ["refs/tags"]);
  const unknown = heads && kept ? unknownAmong(heads, kept) : [];
  if (kept === undefined || heads === undefined || unknown.length > MOST_READ) return readAll(repository, kept);
  const read = unknown.length === 0 ? [] : await readWith(repository, reader, unknown);
  await kept.add(read, heads);
  return listOfKept(heads, kept, read);
}

function unknownAmong(heads: RefHeads, kept: KeptTags): RefHead[] {
  const unknown: RefHead[] = [];
  for (const ref of heads) {
    if (ref.type === "tag" && ref.name !== CURRENT_REF && !kept.has(ref.id)) unknown.push(ref);
  }
  return unknown;
}

/** Tags of which some were `read` and the others are kept, or have no object of their own. */
function listOfKept(heads: RefHeads, kept: KeptTags, read: readonly Ref[]): TagList {
  const byName = new Map(read.map((ref) => [ref.name, ref]));
  const outlined = (head: RefHead): OutlinedRef => {
    const known = byName.has(head.name) || head.name === CURRENT_REF ? undefined : kept.find(head);
    return known ?? new ReadRef(byName.get(head.name) ?? { ...head, peeled: undefined, latin1: undefined });
  };
  let all: readonly OutlinedRef[] | undefined;
  return {
    all() {
      all ??= Array.from(heads, outlined);
      return all;
    },
    named(name) {
      const head = heads.named(name);
      return head && outlined(head);
    },
    ofObject: (id) => heads.withId(id).map(outlined),
  };
}

async function readAll(repository: Repository, kept: KeptTags | undefined): Promise<TagList> {
  const refs = await listRefs(repository, ["refs/tags"]);
  await kept?.add(
    refs.filter(({ name }) => name !== CURRENT_REF),
    refs,
  );
  return listOfRefs(refs);
}

async function readWith(
  repository: Repository,
  reader: ObjectReader | undefined,
  refs: readonly RefHead[],
): Promise<Ref[]> {
  if (reader) return readRefs(reader, refs);
  const own = new ObjectReader(repository);
  try {
    return await readRefs(own, refs);
  } finally {
    own.close();
  }
}
