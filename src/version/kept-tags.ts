import path from "node:path";
import { KaiError } from "../error.js";
import { objectId } from "../git/object.js";
import type { Ref, RefHead } from "../git/refs.js";
import { hexLength, type Repository } from "../git/repository.js";
import { readObjectsSync } from "../git/run-git-sync.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { appendPiece, forgetKept, type Piece, readPieces, replacePieces } from "./kept-pieces.js";
import { isTagIndex, type TagIndex, TagPiece } from "./kept-tag-piece.js";
import type { OutlinedRef } from "./outlined-ref.js";
import { outlineTag, type TagOutline } from "./tag-outline.js";

const FORMAT = "kai-kept-tags/1";

/** The file is written anew when it is in more pieces. */
const MOST_PIECES = 64;

/** A version's tag has a thousand bytes; what others make much longer is read each time. */
const MOST_BYTES = 1 << 16;

interface Place {
  readonly piece: TagPiece;
  readonly at: number;
}

/**
 * The bytes of tag objects that lead to a commit at once, by object id: a file in the clone's cache. Whoever asks for one gets
 * what its id says: it is hashed first, and read from git where the file has something else. So none can be forged, and one
 * stays what it is wherever a ref moves.
 */
export class KeptTags {
  readonly #repository: Repository;
  readonly #file: string;
  readonly #pieces: readonly TagPiece[];
  /** Whether a piece that is added now is found again. */
  readonly #canGrow: boolean;
  #anew: ReadonlyMap<string, Buffer> | undefined;

  constructor(repository: Repository) {
    const { objectFormat } = repository;
    this.#repository = repository;
    this.#file = path.join(kaiFolderOf(repository).cache, `tags-${objectFormat}`);
    const { pieces, whole } = readPieces(this.#file, FORMAT);
    this.#pieces = pieces.flatMap(({ index, read }) =>
      isTagIndex(index, hexLength(objectFormat)) ? [new TagPiece(index, hexLength(objectFormat), read)] : [],
    );
    this.#canGrow = whole && pieces.length > 0 && pieces.length < MOST_PIECES;
  }

  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  has(id: string): boolean {
    return this.#find(id) !== undefined;
  }

  /** A ref whose tag is kept; undefined for another. */
  find(ref: RefHead): OutlinedRef | undefined {
    const place = this.#find(ref.id);
    return place && new KeptRef(ref, this, place);
  }

  /** The bytes of a tag that is kept, from where they should be. */
  read(id: string, { piece, at }: Place): Buffer {
    const kept = piece.read(at);
    return kept && objectId("tag", kept, this.#repository.objectFormat) === id ? kept : this.#readAnew(id);
  }

  #find(id: string): Place | undefined {
    for (const piece of this.#pieces) {
      const at = piece.findNext(id);
      if (at !== undefined) return { piece, at };
    }
    // The first piece is the one with thousands.
    for (const piece of this.#pieces.toReversed()) {
      const at = piece.find(id);
      if (at !== undefined) return { piece, at };
    }
    return undefined;
  }

  /** From git, all at once: where one is not what it was, others will not be. */
  #readAnew(id: string): Buffer {
    if (this.#anew === undefined) {
      forgetKept(this.#file);
      this.#anew = readObjectsSync(
        this.#repository,
        this.#pieces.flatMap((piece) => piece.ids()),
      );
    }
    const content = this.#anew.get(id);
    if (content !== undefined) return content;
    throw new KaiError("E116", `The repository lacks the tag ${id}.`, {
      hint: "`git fsck` shows what is missing; fetch it from a complete clone.",
    });
  }

  /**
   * Keeps those of `read` that can be. Where the file is written anew, only what `listed`, all refs there are, still names is
   * kept. A file that cannot be written costs time later and nothing else.
   */
  async add(read: readonly Ref[], listed: Iterable<RefHead>): Promise<void> {
    const fresh = new Map<string, Buffer>();
    for (const ref of read) if (canBeKept(ref)) fresh.set(ref.id, Buffer.from(ref.latin1, "latin1"));
    if (fresh.size === 0) return;
    if (this.#canGrow) return appendPiece(this.#file, FORMAT, pieceOf(fresh)).catch(() => {});
    const all = new Map<string, Buffer>();
    for (const { id } of listed) {
      const place = this.#find(id);
      const bytes = fresh.get(id) ?? (place && this.read(id, place));
      if (bytes) all.set(id, bytes);
    }
    await replacePieces(this.#file, FORMAT, pieceOf(all)).catch(() => {});
  }
}

/** A tag that leads to a commit at once says so in its first two lines, and no git process has to. */
const canBeKept = (ref: Ref): ref is Ref & { readonly latin1: string } =>
  ref.latin1 !== undefined &&
  ref.latin1.length <= MOST_BYTES &&
  ref.peeled?.type === "commit" &&
  ref.latin1.startsWith(`object ${ref.peeled.id}\ntype commit\n`);

function pieceOf(tags: ReadonlyMap<string, Buffer>): Piece {
  const index: TagIndex = { ids: [...tags.keys()].join(""), sizes: [...tags.values()].map(({ length }) => length) };
  return { index, body: Buffer.concat([...tags.values()]) };
}

class KeptRef implements OutlinedRef {
  readonly ref: RefHead;
  readonly hasCommit = true;
  readonly #kept: KeptTags;
  readonly #place: Place;
  #latin1: string | undefined;
  #outline: { readonly of: TagOutline | undefined } | undefined;

  constructor(ref: RefHead, kept: KeptTags, place: Place) {
    this.ref = ref;
    this.#kept = kept;
    this.#place = place;
  }

  get latin1(): string {
    this.#latin1 ??= this.#kept.read(this.ref.id, this.#place).toString("latin1");
    return this.#latin1;
  }

  get commit(): string {
    return this.latin1.slice(OBJECT, this.latin1.indexOf("\n"));
  }

  get outline(): TagOutline | undefined {
    this.#outline ??= { of: outlineTag(this.latin1) };
    return this.#outline.of;
  }
}

const OBJECT = "object ".length;
