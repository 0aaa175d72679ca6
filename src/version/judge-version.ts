import { parseTag, type TagObject } from "../git/tag-object.js";
import type { KeyRing } from "../trust/key-ring.js";
import { mayDo, principalOf } from "../trust/policy.js";
import { type SignatureOutcome, type SignatureVerdict, verifySignature } from "../trust/signature.js";
import type { TrustedLog } from "../trust/trusted-log.js";
import type { VerificationCache } from "../trust/verification-cache.js";
import { mayCompose, type VersionJudge } from "./composed-version.js";
import { findRecord } from "./find-record.js";
import type { History, KnownVersion } from "./history.js";
import type { VersionRecord } from "./record.js";
import { parseVersionTag } from "./tag-text.js";

export interface Problem {
  readonly code: string;
  readonly message: string;
}

export interface JudgedVersion {
  readonly version: string;
  readonly tag: string;
  readonly ok: boolean;
  /** Made by another tool. */
  readonly foreign: boolean;
  readonly signature: {
    readonly outcome: SignatureOutcome;
    readonly key: string | null;
    readonly signer: string | null;
    readonly reason: string | null;
  };
  readonly problems: readonly Problem[];
  /** What is worth knowing and speaks against nothing. */
  readonly remarks?: readonly string[];
}

/** What versions are judged by. */
export interface Judging {
  readonly log: TrustedLog | undefined;
  /** False where this clone lacks the log; a log that is here and undefined above cannot be trusted. */
  readonly hasLog: boolean;
  /** Keys of the policy: they alone speak for versions of ours. */
  readonly keys: KeyRing;
  /** Those, and the keys of others that the user imported. */
  readonly everyKey: KeyRing;
  /** Notes by commit. */
  readonly notes: ReadonlyMap<string, string>;
  /** Tag object by ref, as the log made them. */
  readonly madeBy: ReadonlyMap<string, string>;
  readonly cache: VerificationCache;
  readonly now: Date;
  /** Asked of a version that an operator signed; undefined where there is no log that could tell. */
  readonly whyNotComposed: VersionJudge | undefined;
}

const PROVEN: ReadonlySet<SignatureOutcome> = new Set(["good", "expired-key-valid-then"]);
/** Outcomes that say something against a tag, rather than nothing for it. */
const DISPROVEN: ReadonlySet<SignatureOutcome> = new Set(["bad", "expired", "revoked-key", "weak"]);

/** Judges one version by its tag's bytes, the note on its commit, and the log. */
export async function judgeVersion(version: KnownVersion, judging: Judging): Promise<JudgedVersion> {
  const foreign = version.type === "foreign";
  const base = { version: version.number.text, tag: version.tag, foreign };
  const tag = version.latin1 === undefined ? undefined : parseTag(Buffer.from(version.latin1, "latin1"));
  if (tag === undefined) {
    return {
      ...base,
      ok: false,
      signature: signatureOf({ outcome: "unsigned", format: "none", reason: "a lightweight tag" }),
      problems: movedProblems(version, judging),
    };
  }
  if ("problem" in tag) {
    const verdict: SignatureVerdict = {
      outcome: "bad",
      format: "unknown",
      reason: `the tag cannot be read: ${tag.problem}`,
    };
    return {
      ...base,
      ok: false,
      signature: signatureOf(verdict),
      problems: [problem("bad-tag", `${version.tag}: ${tag.problem}.`)],
    };
  }
  const verdict = await verdictOn(version, tag, judging, foreign);
  const problems = nameProblems(version, tag);
  if (foreign) {
    problems.push(...movedProblems(version, judging));
    if (DISPROVEN.has(verdict.outcome)) problems.push(signatureProblem(version, verdict));
    return {
      ...base,
      ok: PROVEN.has(verdict.outcome) && problems.length === 0,
      signature: signatureOf(verdict),
      problems,
    };
  }
  if (verdict.outcome !== "good") problems.push(signatureProblem(version, verdict));
  if (verdict.outcome === "good") problems.push(...(await signerProblems(version, verdict, judging)));
  problems.push(...logProblems(version, judging), ...recordProblems(version, tag, judging));
  return { ...base, ok: problems.length === 0, signature: signatureOf(verdict), problems };
}

async function verdictOn(
  version: KnownVersion,
  tag: TagObject,
  judging: Judging,
  foreign: boolean,
): Promise<SignatureVerdict> {
  // The name of the ref is no part of the signed bytes, so a verdict holds for the object whatever ref it stands under.
  const known = judging.cache.get(version.tagId);
  if (known) return known;
  const verdict = await verifySignature({
    payload: tag.payload,
    signature: tag.signature ?? Buffer.alloc(0),
    keys: foreign ? judging.everyKey : judging.keys,
    strict: !foreign,
    now: judging.now,
  });
  judging.cache.set(version.tagId, verdict);
  return verdict;
}

const nameProblems = (version: KnownVersion, tag: TagObject): Problem[] =>
  tag.name === version.tag
    ? []
    : [problem("wrong-name", `The tag object under ${version.tag} says that it is ${tag.name}.`)];

async function signerProblems(
  version: KnownVersion,
  { key = "" }: SignatureVerdict,
  { log, whyNotComposed }: Judging,
): Promise<Problem[]> {
  if (log === undefined || whyNotComposed === undefined) return [];
  const { policy } = log;
  if (principalOf(policy, key) === undefined)
    return [problem("not-in-policy", `${version.tag} was signed by a key that the policy does not name.`)];
  if (mayDo(policy, key, "releaser")) return [];
  const composes = mayCompose(policy, key, version);
  const why = composes ? await whyNotComposed(version) : undefined;
  if (composes && why === undefined) return [];
  const more = why === undefined ? "" : `, and ${why}`;
  return [problem("not-releaser", `${version.tag} was signed by a key that is no releaser here${more}.`)];
}

/** A tag that the log made and that now looks like another tool's was replaced. */
function movedProblems(version: KnownVersion, { madeBy }: Pick<Judging, "madeBy">): Problem[] {
  const made = madeBy.get(`refs/tags/${version.tag}`);
  if (made === undefined || made === version.tagId) return [];
  return [problem("tag-moved", `${version.tag} is not the tag that the log made.`)];
}

function logProblems(version: KnownVersion, judging: Judging): Problem[] {
  const { log, madeBy } = judging;
  if (log === undefined) {
    return judging.hasLog
      ? [problem("log-not-trusted", `The log that made ${version.tag} cannot be trusted.`)]
      : [problem("record-not-fetched", `The log that made ${version.tag} is not here.`)];
  }
  const made = madeBy.get(`refs/tags/${version.tag}`);
  if (made === undefined) return [problem("not-in-log", `No entry of the log made ${version.tag}.`)];
  return movedProblems(version, judging);
}

function recordProblems(version: KnownVersion, tag: TagObject, { log, notes, madeBy }: Judging): Problem[] {
  const problems: Problem[] = [];
  const text = parseVersionTag(tag.message);
  if (log && text && text.repo !== log.entry.repo) {
    problems.push(problem("wrong-repository", `${version.tag} was made for another repository.`));
  }
  if (text === undefined) {
    // One that was replaced is told as such already.
    return movedProblems(version, { madeBy }).length > 0
      ? problems
      : [...problems, problem("bad-tag", `${version.tag}: it does not say what a version's tag says.`)];
  }
  const note = notes.get(version.commit);
  if (note === undefined) return [...problems, noteGone(version, log !== undefined)];
  const record = findRecord(note, text.record);
  if (record === undefined)
    return [
      ...problems,
      problem(
        "record-changed",
        `The note holds no record that ${version.tag} was signed for; \`git kai-version recover\` puts it there from the log.`,
      ),
    ];
  const differing = DUPLICATED.filter(([field, of]) => record[field] !== of(version));
  for (const [field] of differing) {
    problems.push(problem("record-differs", `The record of ${version.tag} has another ${field} than its tag.`));
  }
  return problems;
}

const noteGone = ({ tag }: KnownVersion, hasLog: boolean): Problem =>
  problem(
    "record-not-fetched",
    `The note with the record of ${tag} is not here${hasLog ? "; `git kai-version recover` makes it again from the log" : ""}.`,
  );

/** What both the tag and the record say. */
const DUPLICATED: readonly [keyof VersionRecord, (version: KnownVersion) => string | null][] = [
  ["version", (version) => version.number.text],
  ["tag", (version) => version.tag],
  ["commit", (version) => version.commit],
  ["hash", (version) => version.hash],
  ["parent", (version) => version.parent],
  ["type", (version) => version.type],
];

/** Whether the tag `current` is the one that the log put there. */
export function judgeCurrent(history: History, pointer: string | undefined): Problem[] {
  if (pointer === history.current?.pointer) return [];
  if (pointer === undefined)
    return [
      problem(
        "current-missing",
        "The tag `current` is gone; `git kai-version recover` puts it back where the log says.",
      ),
    ];
  return [
    problem(
      "current-moved",
      "The tag `current` was moved without an entry of the log; `git kai-version recover` puts it back.",
    ),
  ];
}

const signatureProblem = (version: KnownVersion, verdict: SignatureVerdict): Problem =>
  problem(
    "signature",
    `The signature of ${version.tag} is ${verdict.outcome}${verdict.reason ? `: ${verdict.reason}` : ""}.`,
  );

const signatureOf = (verdict: SignatureVerdict): JudgedVersion["signature"] => ({
  outcome: verdict.outcome,
  key: verdict.key ?? null,
  signer: verdict.signer ?? null,
  reason: verdict.reason ?? null,
});

const problem = (code: string, message: string): Problem => ({ code, message });
