import type { History, KnownVersion } from "./history.js";
import { compareNumbers } from "./number.js";
import { hasStatus, type ListedStatus, listedStatus, type Standing } from "./standing.js";

export const SORT_KEYS = ["version", "date", "type", "author"] as const;
export type SortKey = (typeof SORT_KEYS)[number];

export interface ListRequest {
  readonly type: string | undefined;
  /** `active`: neither withdrawn nor deprecated nor archived. */
  readonly status: ListedStatus | undefined;
  readonly since: Date | undefined;
  readonly until: Date | undefined;
  /** A glob on the version's number or its tag. */
  readonly match: string | undefined;
  readonly sort: SortKey;
  /** Lowest or oldest first. */
  readonly ascending: boolean;
  readonly limit: number | undefined;
  readonly offset: number;
}

export interface ListedVersion {
  readonly version: string;
  readonly tag: string;
  readonly commit: string;
  readonly hash: string | null;
  readonly parent: string | null;
  readonly type: string;
  readonly status: ListedStatus;
  /** What a releaser said last of it, also where it is withdrawn; null where none did. */
  readonly standing: Standing | null;
  readonly createdAt: string | null;
  readonly createdBy: string | null;
  readonly description: string;
  readonly current: boolean;
  /** An outcome found earlier, or `unchecked`: listing verifies nothing. */
  readonly signature: string;
}

export interface VersionList {
  readonly total: number;
  readonly filtered: number;
  readonly versions: readonly ListedVersion[];
  readonly skipped: History["skipped"];
}

/** Filters, sorts and pages a history. `signatureOf` tells what an earlier verification found of one. */
export function listVersions(
  history: History,
  request: ListRequest,
  signatureOf: (version: KnownVersion) => string,
): VersionList {
  const matches = request.match === undefined ? () => true : globMatcher(request.match);
  const found = history.versions.filter(
    (version) =>
      (request.type === undefined || version.type === request.type) &&
      (request.status === undefined || hasStatus(version, request.status)) &&
      (request.since === undefined || (version.createdAt !== null && version.createdAt >= request.since)) &&
      (request.until === undefined || (version.createdAt !== null && version.createdAt <= request.until)) &&
      (matches(version.number.text) || matches(version.tag)),
  );
  const order = comparatorFor(request.sort);
  found.sort((a, b) => (request.ascending ? order(a, b) : order(b, a)));
  const page = found.slice(request.offset, request.limit === undefined ? undefined : request.offset + request.limit);
  return {
    total: history.versions.length,
    filtered: found.length,
    versions: page.map((version) => listed(version, history, signatureOf)),
    skipped: history.skipped,
  };
}

function listed(
  version: KnownVersion,
  history: History,
  signatureOf: (version: KnownVersion) => string,
): ListedVersion {
  return {
    version: version.number.text,
    tag: version.tag,
    commit: version.commit,
    hash: version.hash,
    parent: version.parent,
    type: version.type,
    status: listedStatus(version),
    standing: version.standing,
    createdAt: version.createdAt?.toISOString() ?? null,
    createdBy: version.createdBy,
    description: version.description,
    current: version.tagId === history.current?.tag,
    signature: version.latin1 === undefined ? "unsigned" : signatureOf(version),
  };
}

function comparatorFor(key: SortKey): (a: KnownVersion, b: KnownVersion) => number {
  const byNumber = (a: KnownVersion, b: KnownVersion) => compareNumbers(a.number, b.number);
  const by = (value: (version: KnownVersion) => string | number) => (a: KnownVersion, b: KnownVersion) => {
    const [left, right] = [value(a), value(b)];
    return left < right ? -1 : left > right ? 1 : byNumber(a, b);
  };
  switch (key) {
    case "version":
      return byNumber;
    case "date":
      return by((version) => version.createdAt?.getTime() ?? 0);
    case "type":
      return by((version) => version.type);
    case "author":
      return by((version) => version.createdBy ?? "");
  }
}

/** `*`, `?`, `[ab]`, `[0-9]` and `[!a]` as in a shell; everything else stands for itself. */
function globMatcher(glob: string): (text: string) => boolean {
  const source = glob.replace(/\*+|\?|\[!?[\w.+]+(?:-\w)?[\w.+]*\]|[\s\S]/g, (part) => {
    if (part.startsWith("*")) return ".*";
    if (part === "?") return ".";
    if (part.length > 1 && isCharacterClass(part)) return part.replace("[!", "[^");
    return part.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  });
  const pattern = new RegExp(`^${source}$`);
  return (text) => pattern.test(text);
}

/** False for a range whose end comes before its beginning. */
function isCharacterClass(text: string): boolean {
  const [, first, last] = /(\w)-(\w)/.exec(text) ?? [];
  return first === undefined || last === undefined || first <= last;
}
