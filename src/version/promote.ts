import { KaiError } from "../error.js";
import { findAsked } from "./find-asked.js";
import type { KnownVersion } from "./history.js";
import { requireProvable } from "./require-provable.js";
import {
  describeStatus,
  isGivenUp,
  onOneLine,
  promotionDetails,
  type Stability,
  type Standing,
  type Status,
} from "./standing.js";
import { validateVersion } from "./validate-version.js";
import { versionFact } from "./version-fact.js";
import { type Caller, provingOf, type WritingSession, withWritingSession } from "./writing-session.js";

export interface PromoteRequest {
  /** A number, a tag, or `current`. */
  readonly version: string;
  readonly status: Status;
  /** Default: what was said of it before. */
  readonly stability: Stability | undefined;
  /** Default: that of before, where the status stays as it is. */
  readonly reason: string | undefined;
  readonly dryRun: boolean;
}

export interface PromotedVersion extends Omit<Standing, "since"> {
  readonly version: string;
  readonly tag: string;
  /** Null where nobody had said anything of it. */
  readonly previous: Standing | null;
  /** Null in a dry run. */
  readonly operation: string | null;
}

/** Is asked before a version gets another standing, and refuses by throwing. */
export type PromotionGate = (session: WritingSession, version: KnownVersion, status: Status) => Promise<void>;

/** Says where a version stands, as a new entry of the log; the version is proven before, and the gate asked. */
export function promoteVersionBehind(
  caller: Caller,
  request: PromoteRequest,
  gate: PromotionGate,
): Promise<PromotedVersion> {
  return withWritingSession(caller, { purpose: "promote", untracked: "no", statusLater: true }, async (session) => {
    const version = findAsked(session.history, request.version);
    const said = decideStanding(version, request);
    caller.progress(`Verifying ${version.tag}`);
    await validateVersion(provingOf(session), version);
    await gate(session, version, said.status);
    const told = { version: version.number.text, tag: version.tag, ...said, previous: version.standing };
    if (request.dryRun) return { ...told, operation: null };
    await logStanding(session, version, { subject: subjectOf(version, said), said, more: {} });
    return { ...told, operation: session.id };
  });
}

/**
 * What is to be said of a version. E101 where it is another tool's, or withdrawn and nobody may rely on it; E109 where it is said
 * already; E122 where a reason is missing.
 */
function decideStanding(
  version: KnownVersion,
  { status, stability, reason }: Pick<PromoteRequest, "status" | "stability" | "reason">,
): Omit<Standing, "since"> {
  requireProvable(version);
  const before = version.standing;
  const stays = before?.status === status;
  const said = {
    status,
    stability: stability ?? before?.stability ?? null,
    reason: (reason === undefined ? undefined : onOneLine(reason)) ?? (stays ? before.reason : null),
  };
  if (said.reason === "" || (status === "deprecated" && said.reason === null)) throw noReason(version, status);
  if (version.withdrawn && !isGivenUp(status)) {
    throw new KaiError("E101", `${version.tag} was withdrawn by a rollback or an undo.`, {
      hint: "`git kai-version log` shows when and by whom; a rollback to it, or `undo`, takes it back into use. `deprecate` and `archive` take it as it is.",
    });
  }
  if (stays && before.stability === said.stability && before.reason === said.reason) {
    throw new KaiError("E109", `${version.tag} is ${describeStatus(said)} already.`, {
      hint: `\`git kai-version show ${version.number.text}\` says since when, and by whom.`,
    });
  }
  return said;
}

const noReason = ({ tag, number }: KnownVersion, status: Status): KaiError =>
  new KaiError("E122", `Nothing says why ${tag} is ${status}.`, {
    hint:
      status === "deprecated"
        ? `Say it to those who use it: \`git kai-version deprecate ${number.text} --reason "1.4.0 answers better"\``
        : "Give `--reason` a text, or leave it out.",
  });

const VERBS: Partial<Record<Status, string>> = { deprecated: "deprecate", archived: "archive" };

function subjectOf({ tag }: KnownVersion, { status, stability }: Omit<Standing, "since">): string {
  const verb = VERBS[status];
  return verb === undefined ? `promote ${tag} to ${describeStatus({ status, stability })}` : `${verb} ${tag}`;
}

/** Adds the entry, which takes a releaser, and a line to the version's note. */
export async function logStanding(
  session: WritingSession,
  version: KnownVersion,
  { subject, said, more }: { subject: string; said: Omit<Standing, "since"> | null; more: Record<string, unknown> },
): Promise<void> {
  const { tag, number, tagId } = version;
  const details = { ...promotionDetails({ tag, number: number.text, tagId }, said), ...more };
  const signer = await session.openSigner("releaser");
  const fact = { id: session.id, kind: "promote", subject, about: version, details } as const;
  await session.perform(await versionFact(session, signer, fact), signer);
}
