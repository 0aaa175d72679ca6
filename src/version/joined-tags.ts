import { CURRENT_REF } from "../operation/entry.js";
import type { History, KnownVersion, ReservedNumber } from "./history.js";
import type { LogOutline } from "./log-outline.js";
import type { Withdrawing } from "./log-part.js";
import { compareNumbers, findNumber, type VersionNumber } from "./number.js";
import type { OutlinedRef, TagList } from "./outlined-ref.js";
import { type Standing, standingsOf } from "./standing.js";
import { type TagFormat, type TagName, versionOfTag } from "./tag-name.js";
import { TaggedVersion } from "./tagged-version.js";

/** What tags and log say together: all of it when it is asked for, or one version. */
export class JoinedTags {
  readonly #tags: TagList;
  readonly #outline: LogOutline;
  readonly #format: TagFormat;
  readonly #withdrawn: ReadonlySet<string>;
  readonly #standingOf: (tag: string, object: string) => Standing | null;
  /** By the id of its tag; the same object whoever asks, and how. */
  readonly #one = new Map<string, KnownVersion | undefined>();
  #all: Pick<History, "versions" | "skipped" | "reserved"> | undefined;

  constructor(tags: TagList, outline: LogOutline, format: TagFormat) {
    this.#tags = tags;
    this.#outline = outline;
    this.#format = format;
    this.#withdrawn = withdrawnVersions(outline.withdrawing);
    this.#standingOf = standingsOf(outline.promotions);
  }

  get all(): Pick<History, "versions" | "skipped" | "reserved"> {
    this.#all ??= this.#join();
    return this.#all;
  }

  versionTagged(id: string): KnownVersion | undefined {
    const refs = this.#tags.ofObject(id).filter(({ ref }) => isVersionTag(ref.name));
    const [only] = refs;
    if (this.#all !== undefined || only === undefined || refs.length > 1) {
      return this.all.versions.find((each) => each.tagId === id);
    }
    if (!this.#one.has(id)) {
      // The first entry that made it, as below.
      const made = this.#outline.numbersMade(nameOf(only)).map(findNumber);
      const judged = this.#judge(
        only,
        made.findLast((number) => number !== undefined),
      );
      this.#one.set(id, judged instanceof TaggedVersion ? judged : undefined);
    }
    return this.#one.get(id);
  }

  #join(): Pick<History, "versions" | "skipped" | "reserved"> {
    const versions: KnownVersion[] = [];
    const skipped: { tag: string; reason: string }[] = [];
    const reserved: ReservedNumber[] = [];
    const made = numbersOf(this.#outline.made);
    for (const outlined of this.#tags.all()) {
      if (!isVersionTag(outlined.ref.name)) continue;
      const tag = nameOf(outlined);
      const judged = this.#one.get(outlined.ref.id) ?? this.#judge(outlined, made.get(tag));
      made.delete(tag);
      if (!("reason" in judged)) versions.push(judged);
      else {
        skipped.push({ tag, reason: judged.reason });
        if (judged.reserves) reserved.push({ number: judged.reserves, tag });
      }
    }
    for (const [tag, number] of made) reserved.push({ number, tag });
    versions.sort((a, b) => compareNumbers(a.number, b.number) || (a.tag < b.tag ? -1 : 1));
    return { versions, skipped, reserved };
  }

  /** The version that a tag is, or why it is none and whether its number is used all the same. `ours` is the number that the log says. */
  #judge(
    outlined: OutlinedRef,
    ours: VersionNumber | undefined,
  ): KnownVersion | { readonly reason: string; readonly reserves?: VersionNumber } {
    const tag = nameOf(outlined);
    // A version stays one when tag_format is changed after it was made.
    const number = ours ?? versionOfTag(tag, this.#format);
    if ("reason" in number) return number;
    if (outlined.ref.type === "missing") {
      return { reason: `its object is missing: fetch it again, or \`git tag -d ${tag}\`; ${KEPT}`, reserves: number };
    }
    if (!outlined.hasCommit) return { reason: `does not point at a commit; ${KEPT}`, reserves: number };
    const withdrawn = this.#withdrawn.has(number.text);
    const standing = this.#standingOf(tag, outlined.ref.id);
    return new TaggedVersion(outlined, { tag: tag as TagName, number, withdrawn, standing, ours: ours !== undefined });
  }
}

const TAGS = "refs/tags/";

const isVersionTag = (ref: string): boolean => ref.startsWith(TAGS) && ref !== CURRENT_REF;

const nameOf = ({ ref }: OutlinedRef): string => ref.name.slice(TAGS.length);

/** Of a tag that is no version and whose number is not given to another all the same. */
const KEPT = "its number stays reserved";

/** The numbers of the versions that the log says were made, by tag. */
function numbersOf(made: LogOutline["made"]): Map<string, VersionNumber> {
  const numbers = new Map<string, VersionNumber>();
  for (const [tag, version] of made) {
    const number = findNumber(version);
    if (number !== undefined) numbers.set(tag, number);
  }
  return numbers;
}

/** Versions that an entry withdrew and none later restored. */
export function withdrawnVersions(log: readonly Withdrawing[]): Set<string> {
  const withdrawn = new Set<string>();
  for (const entry of [...log].reverse()) {
    for (const version of entry.withdrawn) withdrawn.add(version);
    for (const version of entry.restored) withdrawn.delete(version);
  }
  return withdrawn;
}
