import { isAscii } from "node:buffer";
import { ENTRY_PATTERNS, type InForce, type LoggedEntry } from "../operation/entry.js";
import { logEntries, parseLogOutput } from "../operation/log.js";
import {
  formatMade,
  type LogBlock,
  type LogPart,
  type Made,
  madeIn,
  numbersMade,
  type Withdrawing,
} from "./log-part.js";
import type { LogText } from "./log-text.js";
import { type Promotion, promotionOf } from "./standing.js";

/** What a history needs of the whole log, newest first. */
export interface LogOutline {
  /** The commit of the newest entry; undefined where there is none. */
  readonly head: string | undefined;
  /** What the newest entry says is in force. */
  readonly current: InForce | null;
  /** The newest entry that changed what is in force. */
  readonly lastMove: LoggedEntry | undefined;
  /** Tag and number of each version that was made. */
  readonly made: Made;
  /** What each entry withdrew or took back into use that did. */
  readonly withdrawing: readonly Withdrawing[];
  /** What each entry said of a version's standing that did. */
  readonly promotions: readonly Promotion[];
  /** The object that the log put under each ref of refs/tags/ last, by ref. */
  tagObjects(): ReadonlyMap<string, string>;
  /** The same for one of these refs; undefined where the log never set it. */
  tagObject(ref: string): string | undefined;
  /** The numbers under which versions with this tag were made. */
  numbersMade(tag: string): readonly string[];
}

const TEXT = String.raw`[^"\\\u0000-\u001f]*`;
const { objectId: ID, version: VERSION } = ENTRY_PATTERNS;
const ID_OR_NULL = `(?:null|"${ID}")`;
const IN_FORCE = String.raw`(?:null|\{"pointer":"${ID}","tag":"${ID}","version":"${VERSION}"\})`;
const CHANGE = String.raw`\{"new":${ID_OR_NULL},"old":${ID_OR_NULL},"ref":"${TEXT}"\}`;

/** An entry that made a version and withdrew and restored nothing, as canonical JSON without escapes has it. */
const PLAIN = new RegExp(
  [
    String.raw`^${ID} (?:${ID}(?: ${ID})*)?\n[^\n]*\n\n`,
    String.raw`\{"actor":\{"email":"${TEXT}","key":"${TEXT}","name":"${TEXT}"\},"at":"${ENTRY_PATTERNS.time}",`,
    String.raw`"changes":\[(?:${CHANGE}(?:,${CHANGE})*)?\],"current":\{"after":${IN_FORCE},"before":${IN_FORCE}\},`,
    // Exactly these: of any other keys it takes a reader to tell whether they are in order, and once.
    String.raw`"details":\{(?:"commit":"${TEXT}",)?(?:"hash":"${TEXT}",)?(?:"head":"${TEXT}",)?"tag":"(${TEXT})","version":"(${TEXT})"\},`,
    `"format":"kai-operation/1","id":"${ENTRY_PATTERNS.operation}","kind":"${ENTRY_PATTERNS.kind}","repo":"${TEXT}",`,
    String.raw`"restored":\[\],"seq":(?:0|[1-9][0-9]{0,14}),"withdrawn":\[\]\}\n?$`,
  ].join(""),
);

/** Of more characters an expression could use up the stack; entries that made a version have a few hundred. */
const MOST_LOOKED_AT = 1 << 20;

const findPlain = (text: string): RegExpExecArray | null => (text.length <= MOST_LOOKED_AT ? PLAIN.exec(text) : null);

const isMove = ({ current }: LoggedEntry): boolean => current.before?.pointer !== current.after?.pointer;

/** What the entries taken so far say together, the newest first. */
class Findings {
  readonly made: [string, string][] = [];
  readonly withdrawing: Withdrawing[] = [];
  readonly promotions: Promotion[] = [];
  newest: LoggedEntry | undefined;
  lastMove: LoggedEntry | undefined;

  add(entry: LoggedEntry): void {
    this.newest ??= entry;
    if (isMove(entry)) this.lastMove ??= entry;
    const { tag, version } = entry.details;
    if (typeof tag === "string" && typeof version === "string") this.made.push([tag, version]);
    const { withdrawn, restored } = entry;
    if (withdrawn.length > 0 || restored.length > 0) this.withdrawing.push({ withdrawn, restored });
    const promotion = promotionOf(entry);
    if (promotion) this.promotions.push(promotion);
  }
}

/** The outline of entries that were read whole, newest first. */
export function outlineEntries(log: readonly LoggedEntry[]): LogOutline {
  const findings = new Findings();
  for (const entry of log) findings.add(entry);
  const tagObjects = () => firstOfEach(log.flatMap(tagsOf));
  return {
    head: findings.newest?.commit,
    current: findings.newest?.current.after ?? null,
    lastMove: findings.lastMove,
    made: findings.made,
    withdrawing: findings.withdrawing,
    promotions: findings.promotions,
    tagObjects,
    tagObject: (ref) => tagObjects().get(ref),
    numbersMade: (tag) => findings.made.flatMap(([each, version]) => (each === tag ? [version] : [])),
  };
}

/**
 * Makes a part of what `git log` prints, bytes by bytes, newest first. Most entries only made a version: those are looked at and
 * not read, which for ten thousand of them takes a sixth of the time. The outline says the same as `outlineEntries`.
 */
export class LogOutliner {
  readonly #findings = new Findings();
  readonly #blocks: LogBlock[] = [];
  #head: string | undefined;

  /** Whole entries, with a NUL between them. */
  take(bytes: Buffer): void {
    const texts = textOf(bytes).split("\0");
    this.#blocks.push({ commits: texts.length, read: () => bytes });
    this.#head ??= /^[0-9a-f]*/.exec(texts[0] ?? "")?.[0];
    for (const text of texts) {
      const plain = this.#findings.lastMove === undefined ? null : findPlain(text);
      if (plain) this.#findings.made.push([plain[1] ?? "", plain[2] ?? ""]);
      else for (const entry of logEntries(text)) this.#findings.add(entry);
    }
  }

  /** Undefined where nothing was taken. */
  end(): LogPart | undefined {
    if (this.#head === undefined) return undefined;
    const { newest, lastMove, made, withdrawing, promotions } = this.#findings;
    return {
      index: {
        head: this.#head,
        newest: newest?.commit ?? null,
        current: newest?.current.after ?? null,
        move: lastMove?.commit ?? null,
        made: formatMade(made),
        withdrawing,
        promotions,
      },
      blocks: this.#blocks,
    };
  }
}

/** UTF-8 as text; where it is ASCII, as it mostly is, without decoding. */
const textOf = (bytes: Buffer): string => (isAscii(bytes) ? bytes.toString("latin1") : bytes.toString());

/** The outline of a log that is in parts, the newest first, and their text. */
export function outlineParts(parts: readonly LogPart[], text: LogText): LogOutline {
  const newest = parts.find(({ index }) => index.newest !== null)?.index;
  let made: Made | undefined;
  return {
    head: newest?.newest ?? undefined,
    current: newest?.current ?? null,
    get lastMove() {
      const move = parts.find(({ index }) => index.move !== null)?.index.move;
      return move ? movedBy(text, move) : undefined;
    },
    get made() {
      made ??= madeIn(parts);
      return made;
    },
    withdrawing: parts.flatMap(({ index }) => index.withdrawing),
    promotions: parts.flatMap(({ index }) => index.promotions),
    tagObjects: () => firstOfEach(tagsOfAll(text)),
    tagObject: (ref) => tagObjectOf(text, ref),
    numbersMade: (tag) => numbersMade(parts, tag),
  };
}

/** The entry that a part names as the last to change what is in force. */
function movedBy(log: LogText, commit: string): LoggedEntry | undefined {
  for (const text of log.texts(commit)) {
    const entry = parseLogOutput(text)[0];
    if (entry?.commit === commit && isMove(entry)) return entry;
  }
  return undefined;
}

function firstOfEach(tags: Iterable<readonly [ref: string, id: string]>): Map<string, string> {
  const objects = new Map<string, string>();
  for (const [ref, id] of tags) if (!objects.has(ref)) objects.set(ref, id);
  return objects;
}

function* tagsOfAll(log: LogText): Generator<[ref: string, id: string]> {
  for (const text of log.texts()) yield* tagsIn(text);
}

function tagObjectOf(log: LogText, ref: string): string | undefined {
  // Most entries do not name it, which is told fastest by looking for it. Of canonical JSON a text has one form.
  for (const text of log.texts(`"ref":${JSON.stringify(ref)}`)) {
    const id = tagsIn(text).find(([name]) => name === ref)?.[1];
    if (id !== undefined) return id;
  }
  return undefined;
}

const tagsIn = (text: string): [ref: string, id: string][] =>
  findPlain(text) ? plainTags(text) : parseLogOutput(text).flatMap(tagsOf);

const tagsOf = ({ changes }: LoggedEntry): [string, string][] =>
  changes.flatMap(({ ref, new: next }) => (ref.startsWith("refs/tags/") && next !== null ? [[ref, next]] : []));

const TAG_CHANGE = /\{"new":"([0-9a-f]+)","old":(?:null|"[0-9a-f]+"),"ref":"(refs\/tags\/[^"]*)"\}/g;

/** The same of a plain entry's text, whose JSON holds no quotation mark that is not JSON's own. */
function plainTags(text: string): [string, string][] {
  const json = text.indexOf("\n\n");
  const start = text.indexOf('"changes":[', json);
  const changes = text.slice(start, text.indexOf('],"current":', start));
  return [...changes.matchAll(TAG_CHANGE)].map(([, id = "", ref = ""]) => [ref, id]);
}
