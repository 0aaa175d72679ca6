import type { LoggedEntry } from "../operation/entry.js";

/** Where a version stands in its life, the earliest first. */
export const STATUSES = ["development", "testing", "staging", "production", "deprecated", "archived"] as const;
export type Status = (typeof STATUSES)[number];

/** How much can be relied on it. */
export const STABILITIES = ["experimental", "alpha", "beta", "stable", "mature"] as const;
export type Stability = (typeof STABILITIES)[number];

/** What a releaser said last of a version. */
export interface Standing {
  readonly status: Status;
  /** Null where nobody said. */
  readonly stability: Stability | null;
  /** One line. */
  readonly reason: string | null;
  /** When it was said, ISO 8601. */
  readonly since: string;
}

/** What a list calls a version: withdrawn before all else, `active` where nobody said anything of it. */
export type ListedStatus = Status | "active" | "withdrawn";

interface Stands {
  readonly withdrawn: boolean;
  readonly standing: Standing | null;
}

export const listedStatus = ({ withdrawn, standing }: Stands): ListedStatus =>
  withdrawn ? "withdrawn" : (standing?.status ?? "active");

/** Whether it says that nobody is to use the version any more. */
export const isGivenUp = (status: Status): boolean => status === "deprecated" || status === "archived";

/** Whether a version is one of those: `active` is all that may be used, and one that is withdrawn may be given up as well. */
export function hasStatus(version: Stands, wanted: ListedStatus): boolean {
  const { withdrawn, standing } = version;
  const givenUp = standing !== null && isGivenUp(standing.status);
  if (wanted === "active") return !withdrawn && !givenUp;
  return listedStatus(version) === wanted || (givenUp && standing.status === wanted);
}

/** What an entry of the log says of one tag and no other: neither of its object under another name, nor of another in its place. */
export interface Promotion {
  readonly tag: string;
  /** The tag's object id. */
  readonly object: string;
  /** Null where it takes back all that was said. */
  readonly standing: Standing | null;
}

/** What an entry of kind `promote` says in its details. The number is not called `version`: this entry did not make it. */
export const promotionDetails = (
  { tag, number, tagId }: { readonly tag: string; readonly number: string; readonly tagId: string },
  said: Omit<Standing, "since"> | null,
): Record<string, unknown> => ({
  promoted: number,
  tag,
  object: tagId,
  status: said?.status ?? null,
  stability: said?.stability ?? null,
  reason: said?.reason ?? null,
});

/** What an entry says of a version's standing; undefined where it says nothing of one. Of other kinds none does: their signers may not. */
export function promotionOf({
  kind,
  at,
  details,
}: Pick<LoggedEntry, "kind" | "at" | "details">): Promotion | undefined {
  const { tag, object, status, stability, reason } = details;
  if (kind !== "promote" || typeof tag !== "string" || typeof object !== "string") return undefined;
  const known = STATUSES.find((each) => each === status);
  const standing = known && {
    status: known,
    stability: STABILITIES.find((each) => each === stability) ?? null,
    reason: typeof reason === "string" ? onOneLine(reason) : null,
    since: at,
  };
  return { tag, object, standing: standing ?? null };
}

/** A reason as lists and messages can take it. */
export const onOneLine = (text: string): string => text.trim().replace(/\s+/g, " ");

/** `production (stable)`, or the status alone. */
export const describeStatus = ({ status, stability }: Pick<Standing, "status" | "stability">): string =>
  stability === null ? status : `${status} (${stability})`;

/** The same, of what is given up also why. */
export const describeStanding = ({ reason, ...said }: Omit<Standing, "since">): string =>
  reason === null ? describeStatus(said) : `${describeStatus(said)}: ${reason}`;

/** Finds the standing of a tag in what was said, newest first. */
export function standingsOf(said: readonly Promotion[]): (tag: string, object: string) => Standing | null {
  const newest = new Map<string, Standing | null>();
  for (const { tag, object, standing } of said) {
    const key = `${object} ${tag}`;
    if (!newest.has(key)) newest.set(key, standing);
  }
  return (tag, object) => newest.get(`${object} ${tag}`) ?? null;
}

/** Whether JSON is what an entry said. */
export function isPromotion(value: unknown): value is Promotion {
  const { tag, object, standing } = (value ?? {}) as Partial<Record<keyof Promotion, unknown>>;
  return typeof tag === "string" && typeof object === "string" && (standing === null || isStanding(standing));
}

function isStanding(value: unknown): value is Standing {
  const { status, stability, reason, since } = (value ?? {}) as Partial<Record<keyof Standing, unknown>>;
  return (
    STATUSES.some((each) => each === status) &&
    (stability === null || STABILITIES.some((each) => each === stability)) &&
    (reason === null || typeof reason === "string") &&
    typeof since === "string"
  );
}
