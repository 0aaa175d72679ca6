import type { Ref, RefHead } from "../git/refs.js";
import { outlineTag, type TagOutline } from "./tag-outline.js";

/** A ref, and what its annotated tag tells; what is not asked for is not looked at. */
export interface OutlinedRef {
  readonly ref: RefHead;
  /** Whether it leads to a commit, all tags in between taken off. */
  readonly hasCommit: boolean;
  /** That commit's object id; undefined where there is none. */
  readonly commit: string | undefined;
  /** As of a `Ref`. */
  readonly latin1: string | undefined;
  readonly outline: TagOutline | undefined;
}

/** The tags of a repository. */
export interface TagList {
  all(): readonly OutlinedRef[];
  /** By the whole name of the ref. */
  named(ref: string): OutlinedRef | undefined;
  /** Those that name this object. */
  ofObject(id: string): readonly OutlinedRef[];
}

export function listOfRefs(refs: readonly Ref[]): TagList {
  const all = refs.map((ref) => new ReadRef(ref));
  return {
    all: () => all,
    named: (name) => all.find(({ ref }) => ref.name === name),
    ofObject: (id) => all.filter(({ ref }) => ref.id === id),
  };
}

/** A ref that was read. */
export class ReadRef implements OutlinedRef {
  readonly ref: Ref;
  #outline: { readonly of: TagOutline | undefined } | undefined;

  constructor(ref: Ref) {
    this.ref = ref;
  }

  get hasCommit(): boolean {
    return this.commit !== undefined;
  }

  get commit(): string | undefined {
    const { id, type, peeled } = this.ref;
    if (type === "commit") return id;
    return peeled?.type === "commit" ? peeled.id : undefined;
  }

  get latin1(): string | undefined {
    return this.ref.latin1;
  }

  get outline(): TagOutline | undefined {
    this.#outline ??= { of: this.latin1 === undefined ? undefined : outlineTag(this.latin1) };
    return this.#outline.of;
  }
}
