import { type Bump, highestBump } from "../change/bump.js";
import { type CommitText, type Finding, judge } from "../change/verdict.js";
import type { ComparedSide } from "./compare-side.js";
import { compareNumbers, type VersionNumber } from "./number.js";

/**
 * Where `to` lies, seen from `from`: on it, after it, before it, or on another line. `unknown`: a shallow clone lacks the
 * commits that would tell.
 */
export type Relation = "same" | "ahead" | "behind" | "diverged" | "unknown";

export interface Compatibility {
  readonly relation: Relation;
  /** How many commits `to` has that `from` has not, and the other way round; null where the relation is unknown. */
  readonly commits: number | null;
  readonly undone: number | null;
  /** The bump that the commits demand; null where `to` does not descend from `from`. */
  readonly required: Bump | null;
  /** The bump that the numbers make; null where `to` is no version, or its number is not the higher one. */
  readonly declared: Bump | null;
  /** Whether those who use `from` can take `to` as it is; null where nothing tells. */
  readonly backward: boolean | null;
  /** Whether those who use `to` can go back to `from` as it is; null where nothing tells. */
  readonly forward: boolean | null;
  /** Of the commits on either side. */
  readonly findings: readonly Finding[];
}

/** A yes or no, with what speaks for it (migration) or against it (rollback). */
export interface Answer {
  readonly answer: boolean;
  readonly reasons: readonly string[];
}

/**
 * Judges the commits between two: `commits` are those that `to` has alone, `undone` those that `from` has alone, as far as
 * the clone, which may be `shallow`, has them.
 */
export function judgeCompatibility(
  from: ComparedSide,
  to: ComparedSide,
  commits: readonly CommitText[],
  undone: readonly CommitText[],
  { shallow = false } = {},
): Compatibility {
  const relation = relationOf(commits.length, undone.length, shallow);
  const older = relation === "behind" ? to : from;
  const stable = (older.version?.number.major ?? 1) > 0;
  const { required, findings } = judge({ commits: relation === "behind" ? undone : commits, stable });
  const takenBack = relation === "diverged" ? judge({ commits: undone, stable }).findings : [];
  return {
    relation,
    commits: relation === "unknown" ? null : commits.length,
    undone: relation === "unknown" ? null : undone.length,
    required: relation === "same" || relation === "ahead" ? required : null,
    declared: declaredBump(from.version?.number, to.version?.number),
    ...directions(relation, from, to, findings),
    findings: [...findings, ...takenBack],
  };
}

function relationOf(commits: number, undone: number, shallow: boolean): Relation {
  if (undone === 0) return commits === 0 ? "same" : "ahead";
  if (commits === 0) return "behind";
  return shallow ? "unknown" : "diverged";
}

function declaredBump(from: VersionNumber | undefined, to: VersionNumber | undefined): Bump | null {
  if (from === undefined || to === undefined || compareNumbers(from, to) > 0) return null;
  if (compareNumbers(from, to) === 0) return "none";
  if (from.major !== to.major) return "major";
  return from.minor !== to.minor ? "minor" : "patch";
}

function directions(
  relation: Relation,
  from: ComparedSide,
  to: ComparedSide,
  findings: readonly Finding[],
): Pick<Compatibility, "backward" | "forward"> {
  if (relation === "diverged" || relation === "unknown") return { backward: null, forward: null };
  if (relation === "same") return { backward: true, forward: true };
  const [older, newer] = relation === "ahead" ? [from, to] : [to, from];
  const upward = takesUp(older, newer, findings);
  const downward = goesBack(older, newer, findings);
  return relation === "ahead" ? { backward: upward, forward: downward } : { backward: downward, forward: upward };
}

/** What the newer one's record says of its own parent stands; of any other version the commits tell. */
const takesUp = (older: ComparedSide, newer: ComparedSide, findings: readonly Finding[]): boolean =>
  newer.record?.parent === older.name
    ? newer.record.compatibility.backward.includes(older.name)
    : highestBump(findings.map(({ level }) => level)) !== "major";

const goesBack = (older: ComparedSide, newer: ComparedSide, findings: readonly Finding[]): boolean =>
  newer.record?.parent === older.name
    ? newer.record.compatibility.forward.includes(older.name)
    : ["none", "patch"].includes(highestBump(findings.map(({ level }) => level)));

/**
 * Whether state has to be converted on the way from one to the other. It has, where `to` names a lifecycle.migrate command
 * that `from` does not name; and where a commit between them (taken in or taken back) is marked as breaking while one of
 * them carries captured state or names such a command, since nothing tells that the state can still be loaded.
 */
export function judgeMigration(from: ComparedSide, to: ComparedSide, findings: readonly Finding[]): Answer {
  const [before, after] = [from, to].map(({ config }) => config?.lifecycle.migrate?.run ?? null);
  const reasons: string[] = [];
  if (after !== null && after !== before) reasons.push(`${to.name} names the migration command ${after}`);
  const withState = [from, to].find(({ version }) => version !== undefined && version.state !== null);
  const bearer = withState === undefined ? "a migration command is named" : `${withState.name} has captured state`;
  if (withState !== undefined || after !== null || before !== null) {
    for (const finding of findings) {
      if (finding.level === "major") reasons.push(`${finding.message}, and ${bearer}`);
    }
  }
  return { answer: reasons.length > 0, reasons };
}

/**
 * Whether `rollback` would take an agent from `to` back to `from` without --force, as far as records and log tell; the
 * signature and the files are verified only by the rollback itself.
 */
export function judgeRollback(from: ComparedSide, to: ComparedSide): Answer {
  const reasons: string[] = [];
  const { version } = from;
  if (version === undefined) reasons.push(`${from.name} is no version`);
  else if (version === to.version) reasons.push("they are the same version");
  else if (version.type === "foreign") reasons.push(`${version.tag} was made by another tool`);
  else {
    if (version.withdrawn) reasons.push(`${version.tag} was withdrawn by a rollback or an undo`);
    if (from.record === null) reasons.push(`the record of ${version.tag} is not in this clone`);
  }
  if (to.version !== undefined && to.record?.rollback.canRollback === false) {
    reasons.push(`the record of ${to.version.tag} says that it cannot be rolled back`);
  }
  return { answer: reasons.length === 0, reasons };
}
