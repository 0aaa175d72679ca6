import type { Ref } from "../git/refs.js";
import type { InForce, LoggedEntry } from "../operation/entry.js";
import { JoinedTags } from "./joined-tags.js";
import { type LogOutline, outlineEntries } from "./log-outline.js";
import type { VersionNumber } from "./number.js";
import { listOfRefs, type TagList } from "./outlined-ref.js";
import type { VersionType } from "./record.js";
import type { Standing } from "./standing.js";
import type { TagFormat, TagName } from "./tag-name.js";

/** A version as its tag and the log tell of it, nothing verified. */
export interface KnownVersion {
  readonly number: VersionNumber;
  readonly tag: TagName;
  /** Object id of the tag, or of the commit for a lightweight one. */
  readonly tagId: string;
  readonly commit: string;
  /** The name that the tag object itself says; null where it cannot be read. */
  readonly named: string | null;
  /** `foreign`: a tag that fits tag_format and was made by another tool; it reserves its number. */
  readonly type: VersionType | "foreign";
  readonly parent: string | null;
  readonly hash: string | null;
  readonly record: string | null;
  readonly state: string | null;
  readonly createdAt: Date | null;
  readonly createdBy: string | null;
  readonly description: string;
  /** Left by a rollback and not taken back into use since. */
  readonly withdrawn: boolean;
  /** Null where no releaser said anything of it, or that was taken back. */
  readonly standing: Standing | null;
  /** The tag object's bytes, a character each; undefined for a lightweight tag. */
  readonly latin1: string | undefined;
}

export interface ReservedNumber {
  readonly number: VersionNumber;
  readonly tag: string;
}

export interface History {
  /** By precedence, lowest first. */
  readonly versions: readonly KnownVersion[];
  /** Tags that stand for no version, and why. */
  readonly skipped: readonly { readonly tag: string; readonly reason: string }[];
  /** Numbers that no version here has and that are used all the same: of tags that are gone, or that name no commit. */
  readonly reserved: readonly ReservedNumber[];
  /** The version whose tag is this object, the lowest where several are; the others need not be looked at. */
  versionTagged(id: string): KnownVersion | undefined;
  /** What the newest entry of the log says is in force. */
  readonly current: InForce | null;
  /** The newest entry of the log that changed it. */
  readonly lastMove: LoggedEntry | undefined;
  /** Newest first. */
  readonly log: readonly LoggedEntry[];
  /** The newest entry of which `is` holds; no entry behind it is parsed. */
  findEntry(is: (entry: LoggedEntry) => boolean): LoggedEntry | undefined;
  /** The object that the log put under a ref of refs/tags/ last; undefined where it never did. */
  tagObject(ref: string): string | undefined;
}

/** Joins what tags and log say. */
export const buildHistory = (refs: readonly Ref[], log: readonly LoggedEntry[], format: TagFormat): History =>
  joinHistory(listOfRefs(refs), outlineEntries(log), () => log, format);

/**
 * The same from the log's outline, all versions joined when somebody wants more than one; `readLog` is called when somebody wants
 * the entries themselves, one by one or all.
 */
export function joinHistory(
  tags: TagList,
  outline: LogOutline,
  readLog: () => Iterable<LoggedEntry>,
  format: TagFormat,
): History {
  const joining = new JoinedTags(tags, outline, format);
  let entries: readonly LoggedEntry[] | undefined;
  return {
    get versions() {
      return joining.all.versions;
    },
    get skipped() {
      return joining.all.skipped;
    },
    get reserved() {
      return joining.all.reserved;
    },
    versionTagged: (id) => joining.versionTagged(id),
    current: outline.current,
    get lastMove() {
      return outline.lastMove;
    },
    get log() {
      entries ??= [...readLog()];
      return entries;
    },
    findEntry(is) {
      for (const entry of entries ?? readLog()) if (is(entry)) return entry;
      return undefined;
    },
    tagObject: outline.tagObject,
  };
}

/** The version with this number, ours before another tool's; undefined where there is none. */
export function findVersion(history: History, number: VersionNumber): KnownVersion | undefined {
  const found = history.versions.filter((each) => each.number.text === number.text);
  return found.find((each) => each.type !== "foreign") ?? found[0];
}

/** The version that the log says is in force; undefined before the first. */
export const versionInForce = (history: History): KnownVersion | undefined =>
  history.current === null ? undefined : history.versionTagged(history.current.tag);
