import type { KnownVersion } from "./history.js";
import type { VersionNumber } from "./number.js";
import type { OutlinedRef } from "./outlined-ref.js";
import type { Standing } from "./standing.js";
import type { TagName } from "./tag-name.js";
import type { TagOutline } from "./tag-outline.js";

interface Telling {
  readonly number: VersionNumber;
  readonly tag: TagName;
  readonly withdrawn: boolean;
  readonly standing: Standing | null;
  readonly ours: boolean;
}

/** What the tag's object says is read when somebody asks: of ten thousand versions most commands ask of a few. */
export class TaggedVersion implements KnownVersion {
  readonly number: VersionNumber;
  readonly tag: TagName;
  readonly tagId: string;
  readonly withdrawn: boolean;
  readonly standing: Standing | null;
  readonly #ours: boolean;
  readonly #tagged: OutlinedRef;

  constructor(tagged: OutlinedRef, { number, tag, withdrawn, standing, ours }: Telling) {
    this.number = number;
    this.tag = tag;
    this.tagId = tagged.ref.id;
    this.withdrawn = withdrawn;
    this.standing = standing;
    this.#ours = ours;
    this.#tagged = tagged;
  }

  get #text(): TagOutline["version"] {
    return this.#tagged.outline?.version;
  }

  get commit(): string {
    return this.#tagged.commit ?? "";
  }

  get latin1(): string | undefined {
    return this.#tagged.latin1;
  }

  get named(): string | null {
    return this.#tagged.outline?.name ?? null;
  }

  get type(): KnownVersion["type"] {
    // One that the log made stays ours when somebody puts another tag in its place: it is then a bad one.
    return this.#text?.type ?? (this.#ours ? "auto" : "foreign");
  }

  get parent(): string | null {
    return this.#text?.parent ?? null;
  }

  get hash(): string | null {
    return this.#text?.hash ?? null;
  }

  get record(): string | null {
    return this.#text?.record ?? null;
  }

  get state(): string | null {
    return this.#text?.state ?? null;
  }

  get createdAt(): Date | null {
    return this.#tagged.outline?.at ?? null;
  }

  get createdBy(): string | null {
    return this.#tagged.outline?.by ?? null;
  }

  get description(): string {
    return this.#tagged.outline?.subject ?? "";
  }
}
