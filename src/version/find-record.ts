import { parseCanonicalJson } from "../operation/canonical-json.js";
import { recordDigest, type VersionRecord } from "./record.js";

/**
 * The record with this digest among the lines of a note; undefined where none has it, or the one that has is no record.
 * Lines of other kinds are passed over.
 */
export function findRecord(note: string, digest: string): VersionRecord | undefined {
  const line = note.split("\n").find((each) => recordDigest(each) === digest);
  const value = line === undefined ? undefined : parseCanonicalJson(line)?.value;
  return isRecord(value) ? value : undefined;
}

const isText = (value: unknown): boolean => typeof value === "string";
const isTextOrNull = (value: unknown): boolean => value === null || isText(value);
const isListOf = (isItem: (item: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.every(isItem);

type Shape = Readonly<Record<string, (value: unknown) => boolean>>;

/** An object that has these keys; it may have others, of a later version. */
const isObjectOf =
  (shape: Shape) =>
  (value: unknown): boolean =>
    typeof value === "object" &&
    value !== null &&
    Object.entries(shape).every(
      ([key, is]) => Object.hasOwn(value, key) && is((value as Record<string, unknown>)[key]),
    );

const isMapOf =
  (isItem: (item: unknown) => boolean) =>
  (value: unknown): boolean =>
    isObjectOf({})(value) && !Array.isArray(value) && Object.values(value as object).every(isItem);

const RECORD = {
  format: (value) => value === "kai-record/1",
  id: isText,
  agent: isText,
  repo: isText,
  version: isText,
  tag: isText,
  type: isText,
  commit: isText,
  parent: isTextOrNull,
  created: isText,
  createdBy: isObjectOf({ name: isText, email: isText, key: isText }),
  notes: isText,
  changelog: isListOf(
    isObjectOf({
      type: isText,
      scope: isTextOrNull,
      breaking: (value) => typeof value === "boolean",
      description: isText,
      commit: isText,
    }),
  ),
  tags: isListOf(isText),
  hash: isText,
  checksums: isObjectOf({ config: isTextOrNull, logic: isTextOrNull, state: isTextOrNull }),
  components: isMapOf(isObjectOf({ files: Number.isSafeInteger, digest: isText })),
  unpinned: isListOf(isText),
  lfs: isListOf(isObjectOf({ path: isText, oid: isText, size: Number.isSafeInteger })),
  compatibility: isObjectOf({ required: isText, backward: isListOf(isText), forward: isListOf(isText) }),
  rollback: isObjectOf({
    canRollback: (value) => typeof value === "boolean",
    target: isTextOrNull,
    risks: isListOf(isText),
    procedure: isText,
  }),
  isolation: isMapOf(() => true),
} as const satisfies Record<Exclude<keyof VersionRecord, "dependencies">, (value: unknown) => boolean>;

const isRecordShape = isObjectOf(RECORD);
const isDependencies = isObjectOf({ agents: isMapOf(isTextOrNull) });
const isRecord = (value: unknown): value is VersionRecord => {
  if (!isRecordShape(value)) return false;
  const { dependencies } = value as { dependencies?: unknown };
  return dependencies === undefined || isDependencies(dependencies);
};
