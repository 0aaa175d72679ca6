/** What this layer needs to know of a commit. */
export interface CommitText {
  /** The full object id. */
  readonly oid: string;
  readonly subject: string;
  /** The message after the subject and its blank line; may be empty. */
  readonly body: string;
  /** False for a commit whose tree equals its parent's (an empty commit, most merges). Not known: taken as true. */
  readonly changedFiles?: boolean | undefined;
}

export interface Footer {
  /** As written, `BREAKING-CHANGE` being read as `BREAKING CHANGE`. */
  readonly token: string;
  readonly value: string;
}

export interface ConventionalCommit {
  readonly oid: string;
  /** In lower case: types are not case-sensitive. */
  readonly type: string;
  readonly scope: string | null;
  readonly description: string;
  readonly body: string;
  readonly footers: readonly Footer[];
  readonly breaking: boolean;
  /** What breaks, in the words of the footer; for a bare `!` the description. Null when nothing breaks. */
  readonly breakingNote: string | null;
  /** True for type `revert` and for the subjects that `git revert` writes. */
  readonly isRevert: boolean;
  /** The ids, perhaps abbreviated, of the commits that it says to revert. */
  readonly reverts: readonly string[];
}

const HEADER = /^([\p{L}\p{N}][\p{L}\p{N}_+-]*)(?:\(([^()\r\n]+)\))?(!)?: +(\S.*)$/u;
const FOOTER = /^(BREAKING[ -]CHANGE: |[\p{L}\p{N}][\p{L}\p{N}-]*(?:: | #))\s*(.*)$/u;
const BREAKING = /^BREAKING[ -]CHANGE: /;
const REVERTED = /^This reverts commit ([0-9a-f]{7,64})\b/gm;
const GIT_REVERT = /^(Revert|Reapply) "(.*)"$/s;
const DEEPEST_REVERT = 32;

/**
 * Reads a message by Conventional Commits 1.0.0 (conventionalcommits.org); undefined when it is not one. The subjects
 * of `git revert` are read too: `Revert "X"` as type `revert`, and what brings X back as X itself.
 */
export function parseCommit({ oid, subject, body }: CommitText): ConventionalCommit | undefined {
  const { inner, times } = unwrapRevert(subject.trim());
  const message = splitMessage(body);
  const reverts = revertedCommits(body);
  if (times % 2 === 1) {
    return {
      ...{ oid, type: "revert", scope: null, description: inner, ...message },
      ...breakingOf(false, inner, message.footers),
      ...{ isRevert: true, reverts },
    };
  }
  const header = HEADER.exec(inner);
  if (!header) return undefined;
  const [, type = "", scope, bang, description = ""] = header;
  return {
    ...{ oid, type: type.toLowerCase(), scope: scope?.trim() || null, description: description.trim(), ...message },
    ...breakingOf(bang !== undefined, description.trim(), message.footers),
    ...{ isRevert: times > 0 || type.toLowerCase() === "revert", reverts },
  };
}

/** The ids after `This reverts commit` at the start of a line, as `git revert` writes them, one or many. */
export function revertedCommits(body: string): string[] {
  return [...body.matchAll(REVERTED)].map(([, oid = ""]) => oid);
}

/** Peels `Revert "…"` and `Reapply "…"`; `times` is odd when the innermost subject is taken back, else it is brought back. */
function unwrapRevert(subject: string): { inner: string; times: number } {
  let inner = subject;
  let times = 0;
  for (let depth = 0; depth < DEEPEST_REVERT; depth += 1) {
    const match = GIT_REVERT.exec(inner);
    if (!match) break;
    times += match[1] === "Reapply" ? 2 : 1;
    inner = match[2] ?? "";
  }
  return { inner, times };
}

function splitMessage(body: string): { body: string; footers: Footer[] } {
  const lines = body.replaceAll("\r\n", "\n").split("\n");
  const start = footerStart(lines);
  return { body: lines.slice(0, start).join("\n").trim(), footers: parseFooters(lines.slice(start)) };
}

/**
 * Footers begin at the first breaking-change line, or where from one paragraph on every paragraph begins with a footer;
 * so a `Note: …` in the middle of the prose stays prose.
 */
function footerStart(lines: readonly string[]): number {
  let start = lines.length;
  for (let index = lines.length - 1; index >= 0; index -= 1) {
    if (lines[index]?.trim() === "" || (lines[index - 1] ?? "").trim() !== "") continue;
    if (!FOOTER.test(lines[index] ?? "")) break;
    start = index;
  }
  const breaking = lines.findIndex((line) => BREAKING.test(line));
  return breaking === -1 ? start : Math.min(start, breaking);
}

function parseFooters(lines: readonly string[]): Footer[] {
  const footers: { token: string; value: string[] }[] = [];
  for (const line of lines) {
    const match = FOOTER.exec(line);
    if (match) {
      const token = (match[1] ?? "").replace(/(: | #)$/, "");
      footers.push({ token: token === "BREAKING-CHANGE" ? "BREAKING CHANGE" : token, value: [match[2] ?? ""] });
    } else {
      footers.at(-1)?.value.push(line);
    }
  }
  return footers.map(({ token, value }) => ({ token, value: value.join("\n").trim() }));
}

function breakingOf(bang: boolean, description: string, footers: readonly Footer[]) {
  const footer = footers.find(({ token }) => token === "BREAKING CHANGE");
  const breaking = bang || footer !== undefined;
  return { breaking, breakingNote: breaking ? footer?.value || description : null };
}
