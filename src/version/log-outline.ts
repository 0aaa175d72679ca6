import { ENTRY_PATTERNS, type InForce, type LoggedEntry } from "../operation/entry.js";
import { parseLogOutput } from "../operation/log.js";

/** What a history needs of the whole log, newest first. */
export interface LogOutline {
  /** The commit of the newest entry; undefined where there is none. */
  readonly head: string | undefined;
  /** What the newest entry says is in force. */
  readonly current: InForce | null;
  /** The newest entry that changed what is in force. */
  readonly lastMove: LoggedEntry | undefined;
  /** Tag and number of each version that was made. */
  readonly made: readonly (readonly [tag: string, version: string])[];
  /** The entries that withdrew versions, or took some back into use. */
  readonly withdrawing: readonly LoggedEntry[];
  /** The object that the log put under each ref of refs/tags/ last, by ref. */
  tagObjects(): ReadonlyMap<string, string>;
  /** The same for one of these refs; undefined where the log never set it. */
  tagObject(ref: string): string | undefined;
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

/**
 * The outline of what `git log -z --format=%H %P%n%B` printed, newest first. Most entries only made a version: those are
 * looked at and not read, which for ten thousand of them takes a sixth of the time. It says the same as `outlineEntries`.
 */
export function outlineLog(text: string): LogOutline {
  const outline = new LogOutliner();
  outline.take(text);
  return outline.end();
}

/** The outline of entries that were read whole, newest first. */
export function outlineEntries(log: readonly LoggedEntry[]): LogOutline {
  const outline = new LogOutliner();
  for (const entry of log) outline.add(entry);
  return outline.end();
}

/** The same piece by piece, the newest first. */
export class LogOutliner {
  readonly #made: [string, string][] = [];
  readonly #withdrawing: LoggedEntry[] = [];
  /** Texts of plain ones. */
  readonly #entries: (string | LoggedEntry)[] = [];
  #newest: LoggedEntry | undefined;
  #lastMove: LoggedEntry | undefined;

  /** Whole entries as they were printed, with a NUL between them. */
  take(text: string): void {
    for (const part of text.split("\0")) {
      const plain = this.#lastMove !== undefined && part.length <= MOST_LOOKED_AT ? PLAIN.exec(part) : null;
      if (plain) {
        this.#entries.push(part);
        this.#made.push([plain[1] ?? "", plain[2] ?? ""]);
      } else {
        for (const entry of parseLogOutput(part)) this.add(entry);
      }
    }
  }

  add(entry: LoggedEntry): void {
    this.#newest ??= entry;
    if (entry.current.before?.pointer !== entry.current.after?.pointer) this.#lastMove ??= entry;
    this.#entries.push(entry);
    const { tag, version } = entry.details;
    if (typeof tag === "string" && typeof version === "string") this.#made.push([tag, version]);
    if (entry.withdrawn.length > 0 || entry.restored.length > 0) this.#withdrawing.push(entry);
  }

  end(): LogOutline {
    const entries = this.#entries;
    return {
      head: this.#newest?.commit,
      current: this.#newest?.current.after ?? null,
      lastMove: this.#lastMove,
      made: this.#made,
      withdrawing: this.#withdrawing,
      tagObjects: () => tagObjectsOf(entries),
      tagObject: (ref) => tagObjectOf(entries, ref),
    };
  }
}

function tagObjectsOf(entries: readonly (string | LoggedEntry)[]): Map<string, string> {
  const objects = new Map<string, string>();
  for (const entry of entries) {
    for (const [ref, id] of typeof entry === "string" ? plainTags(entry) : tagsOf(entry)) {
      if (!objects.has(ref)) objects.set(ref, id);
    }
  }
  return objects;
}

function tagObjectOf(entries: readonly (string | LoggedEntry)[], ref: string): string | undefined {
  const quoted = `"ref":"${ref}"`;
  for (const entry of entries) {
    // Most entries do not name it, which is told fastest by looking for it.
    if (typeof entry === "string" && !entry.includes(quoted)) continue;
    const set = typeof entry === "string" ? plainTags(entry) : tagsOf(entry);
    const id = set.find(([name]) => name === ref)?.[1];
    if (id !== undefined) return id;
  }
  return undefined;
}

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
