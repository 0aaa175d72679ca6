import type { ConfigProblem } from "./config-problem.js";
import type { GivenEntry, GivenMap } from "./given.js";
import { nearest } from "./nearest.js";

interface OlderForm {
  /** The path of the older key. */
  readonly from: readonly string[];
  /** Where its keys belong now. */
  readonly to: readonly string[];
  /** The keys that it had; none named: all that kai.yaml has at `to`. */
  readonly keys?: readonly string[];
}

/** The forms of kai.yaml that earlier documents wrote, and where their keys belong. */
export const OLDER_FORMS: readonly OlderForm[] = [
  { from: ["versioning_system"], to: [] },
  {
    from: ["agent_versioning", "versioning"],
    to: ["version_management", "semantic_versioning"],
    keys: ["scheme", "auto_increment", "tag_format"],
  },
  {
    from: ["agent_versioning", "snapshots"],
    to: ["snapshot_isolation"],
    keys: ["default_isolation", "max_concurrent", "cleanup_after", "resource_limits"],
  },
  {
    from: ["agent_versioning", "rollback"],
    to: ["rollback_system"],
    keys: ["safety_checks", "backup_before_rollback", "max_rollback_depth", "rollback_timeout"],
  },
  { from: ["agent_versioning"], to: [], keys: ["agent_id"] },
  {
    from: ["isolation"],
    to: ["snapshot_isolation"],
    keys: ["enable", "temp_dir", "commit_changes", "rollback_on_error"],
  },
];

/** The first words of the older forms, which stand at the top of a file. */
const OLDER_KEYS: readonly string[] = [...new Set(OLDER_FORMS.map(({ from }) => from[0] ?? ""))];

/** The file with the keys of older forms where they belong now. A key given in two forms is a problem, never a guess. */
export function withoutOlderForms(root: GivenMap, file: string): { root: GivenMap; problems: ConfigProblem[] } {
  if (!OLDER_KEYS.some((key) => root.entries.has(key))) return { root, problems: [] };
  const problems: ConfigProblem[] = [];
  const entries = new Map([...root.entries].filter(([key]) => !OLDER_KEYS.includes(key)));
  let merged: GivenMap = { ...root, entries };
  const report = (entry: GivenEntry, message: string, allowed: readonly string[] = []): void => {
    problems.push({ file, ...entry.keyAt, path: entry.path, message, allowed });
  };

  for (const name of OLDER_KEYS) {
    const entry = root.entries.get(name);
    if (!entry) continue;
    for (const { keys, to, entry: inner } of partsOf(name, entry, report)) {
      if (inner.value.kind === "scalar" && inner.value.value === null) continue;
      if (inner.value.kind !== "map") {
        report(inner, `${inner.path} must hold keys with their values.`);
        continue;
      }
      const kept = new Map<string, GivenEntry>();
      for (const [key, each] of inner.value.entries) {
        if (keys && !keys.includes(key)) reportUnknown(each, key, keys, report);
        else kept.set(key, withForm(each, name));
      }
      merged = merge(merged, nest({ ...inner.value, entries: kept }, to, { ...inner, form: name }), report);
    }
  }
  return { root: merged, problems };
}

type Report = (entry: GivenEntry, message: string, allowed?: readonly string[]) => void;

interface Part {
  readonly keys: readonly string[] | undefined;
  readonly to: readonly string[];
  readonly entry: GivenEntry;
}

/** What stands below an older key: itself, or the parts that have places of their own. */
function partsOf(name: string, entry: GivenEntry, report: Report): Part[] {
  const forms = OLDER_FORMS.filter(({ from }) => from[0] === name);
  const [whole] = forms;
  if (whole && forms.length === 1) return [{ keys: whole.keys, to: whole.to, entry }];
  if (entry.value.kind !== "map") return [{ keys: [], to: [], entry }];
  const parts: Part[] = [];
  const direct = new Map<string, GivenEntry>();
  const own = forms.find(({ from }) => from.length === 1)?.keys ?? [];
  const known = [...forms.flatMap(({ from }) => from.slice(1)), ...own];
  for (const [key, each] of entry.value.entries) {
    const form = forms.find(({ from }) => from[1] === key);
    if (form) parts.push({ keys: form.keys, to: form.to, entry: each });
    else if (own.includes(key)) direct.set(key, each);
    else reportUnknown(each, key, known, report);
  }
  parts.push({ keys: own, to: [], entry: { ...entry, value: { ...entry.value, entries: direct } } });
  return parts;
}

function reportUnknown(entry: GivenEntry, key: string, known: readonly string[], report: Report): void {
  const near = nearest(key, known);
  report(entry, `Unknown key ${JSON.stringify(key)}.${near ? ` Did you mean ${near}?` : ""}`, known);
}

/** Marks an entry, and all below it, with the form that it was written in. */
function withForm(entry: GivenEntry, form: string): GivenEntry {
  const { value } = entry;
  if (value.kind !== "map") return { ...entry, form };
  const entries = new Map([...value.entries].map(([key, each]) => [key, withForm(each, form)]));
  return { ...entry, form, value: { ...value, entries } };
}

function nest(map: GivenMap, to: readonly string[], entry: GivenEntry): GivenMap {
  return to.reduceRight<GivenMap>(
    (inner, key) => ({ ...map, entries: new Map([[key, { ...entry, value: inner }]]) }),
    map,
  );
}

function merge(a: GivenMap, b: GivenMap, report: Report): GivenMap {
  const entries = new Map(a.entries);
  for (const [key, entry] of b.entries) {
    const there = entries.get(key);
    if (!there) entries.set(key, entry);
    else if (there.value.kind === "map" && entry.value.kind === "map") {
      entries.set(key, { ...there, value: merge(there.value, entry.value, report) });
    } else report(entry, `This is given twice; the other is ${there.path} in line ${there.keyAt.line}.`);
  }
  return { ...a, entries };
}
