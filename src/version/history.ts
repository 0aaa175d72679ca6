import type { Ref } from "../git/refs.js";
import { CURRENT_REF, type InForce, type LoggedEntry } from "../operation/entry.js";
import { type LogOutline, outlineEntries } from "./log-outline.js";
import { compareNumbers, findNumber, type VersionNumber } from "./number.js";
import type { VersionType } from "./record.js";
import { type TagFormat, type TagName, versionOfTag } from "./tag-name.js";
import { outlineTag, type TagOutline } from "./tag-outline.js";

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
  outlinedHistory(refs.map(withOutline), outlineEntries(log), () => log, format);

/** A ref, and what its annotated tag tells. */
export interface OutlinedRef {
  readonly ref: Ref;
  readonly outline: TagOutline | undefined;
}

export const withOutline = (ref: Ref): OutlinedRef => ({
  ref,
  outline: ref.latin1 === undefined ? undefined : outlineTag(ref.latin1),
});

/** The same from the log's outline; `readLog` is called when somebody wants the entries themselves, one by one or all. */
export function outlinedHistory(
  refs: readonly OutlinedRef[],
  outline: LogOutline,
  readLog: () => Iterable<LoggedEntry>,
  format: TagFormat,
): History {
  const withdrawn = withdrawnVersions(outline.withdrawing);
  const versions: KnownVersion[] = [];
  const skipped: { tag: string; reason: string }[] = [];
  const reserved: ReservedNumber[] = [];
  const made = numbersOf(outline.made);
  for (const outlined of refs) {
    const { ref } = outlined;
    if (!ref.name.startsWith("refs/tags/") || ref.name === CURRENT_REF) continue;
    const tag = ref.name.slice("refs/tags/".length);
    // A version stays one when tag_format is changed after it was made.
    const ours = made.get(tag);
    const number = ours ?? versionOfTag(tag, format);
    made.delete(tag);
    if ("reason" in number) {
      skipped.push({ tag, reason: number.reason });
      continue;
    }
    if (ref.type === "missing") {
      skipped.push({ tag, reason: `its object is missing: fetch it again, or \`git tag -d ${tag}\`; ${KEPT}` });
      reserved.push({ number, tag });
      continue;
    }
    const commit = ref.type === "commit" ? ref.id : ref.peeled?.type === "commit" ? ref.peeled.id : undefined;
    if (commit === undefined) {
      skipped.push({ tag, reason: `does not point at a commit; ${KEPT}` });
      reserved.push({ number, tag });
      continue;
    }
    versions.push(knownVersion(outlined, tag as TagName, number, commit, withdrawn, ours !== undefined));
  }
  for (const [tag, number] of made) reserved.push({ number, tag });
  versions.sort((a, b) => compareNumbers(a.number, b.number) || (a.tag < b.tag ? -1 : 1));
  let entries: readonly LoggedEntry[] | undefined;
  return {
    versions,
    skipped,
    reserved,
    current: outline.current,
    lastMove: outline.lastMove,
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

function knownVersion(
  { ref, outline }: OutlinedRef,
  tag: TagName,
  number: VersionNumber,
  commit: string,
  withdrawn: ReadonlySet<string>,
  ours: boolean,
): KnownVersion {
  const text = outline?.version;
  return {
    number,
    tag,
    tagId: ref.id,
    commit,
    // One that the log made stays ours when somebody puts another tag in its place: it is then a bad one.
    type: text?.type ?? (ours ? "auto" : "foreign"),
    parent: text?.parent ?? null,
    hash: text?.hash ?? null,
    record: text?.record ?? null,
    state: text?.state ?? null,
    named: outline?.name ?? null,
    createdAt: outline?.at ?? null,
    createdBy: outline?.by ?? null,
    description: outline?.subject ?? "",
    withdrawn: withdrawn.has(number.text),
    latin1: ref.latin1,
  };
}

/** Versions that an entry withdrew and none later restored. */
export function withdrawnVersions(log: readonly LoggedEntry[]): Set<string> {
  const withdrawn = new Set<string>();
  for (const entry of [...log].reverse()) {
    for (const version of entry.withdrawn) withdrawn.add(version);
    for (const version of entry.restored) withdrawn.delete(version);
  }
  return withdrawn;
}

/** The version with this number, ours before another tool's; undefined where there is none. */
export function findVersion(history: History, number: VersionNumber): KnownVersion | undefined {
  const found = history.versions.filter((each) => each.number.text === number.text);
  return found.find((each) => each.type !== "foreign") ?? found[0];
}

/** The version that the log says is in force; undefined before the first. */
export const versionInForce = (history: History): KnownVersion | undefined =>
  history.current === null ? undefined : history.versions.find((each) => each.tagId === history.current?.tag);
