import { type ConfigChange, treeChange, valueChange } from "./config-change.js";
import { type ConfigNode, listNode, scalarNode, UnreadableConfig } from "./config-tree.js";
import { parseJsonTree } from "./parse-json-tree.js";
import { parseYamlTrees } from "./parse-yaml-tree.js";
import { diffText } from "./text-diff.js";
import { diffTrees } from "./tree-diff.js";

export type { ConfigChange } from "./config-change.js";

export type ConfigFormat = "yaml" | "json" | "text";

export interface ConfigDiff {
  path: string;
  /** How the files were compared; `text` where they have no structure, or none that could be read. */
  format: ConfigFormat;
  changes: ConfigChange[];
  /** Why a YAML or JSON file was compared as text. */
  problem?: string;
}

const LONGEST_TEXT = 16 * 1024 * 1024;

/**
 * Compares two texts of a configuration file, undefined where there is no file. The name of `path` says the format.
 * Key order, comments and formatting do not count. Never throws: what cannot be read is compared line by line.
 */
export function diffConfiguration(before: string | undefined, after: string | undefined, path: string): ConfigDiff {
  if (before === after) return { path, format: formatOf(path), changes: [] };
  const oldSide = read(before, path);
  const newSide = read(after, path);
  const problems = [problemOf("before", oldSide), problemOf("after", newSide)].filter((line) => line !== undefined);
  if (problems.length > 0 || formatOf(path) === "text") {
    const diff: ConfigDiff = { path, format: "text", changes: textChanges(before, after) };
    if (problems.length > 0) diff.problem = problems.join("; ");
    return diff;
  }
  return { path, format: formatOf(path), changes: treeChanges(oldSide.trees, newSide.trees) };
}

function formatOf(path: string): ConfigFormat {
  if (/\.ya?ml$/i.test(path)) return "yaml";
  return /\.jsonc?$/i.test(path) ? "json" : "text";
}

interface ReadText {
  /** Undefined where there is no file or it cannot be read as a tree. */
  trees?: ConfigNode[];
  problem?: UnreadableConfig;
}

function read(text: string | undefined, path: string): ReadText {
  if (text === undefined) return {};
  try {
    refuseUnreadable(text);
    const format = formatOf(path);
    if (format === "text") return {};
    return { trees: format === "json" ? [parseJsonTree(text)] : parseYamlTrees(text) };
  } catch (error) {
    if (error instanceof UnreadableConfig) return { problem: error };
    return { problem: new UnreadableConfig(error instanceof Error ? error.message : String(error), null) };
  }
}

function refuseUnreadable(text: string) {
  if (text.length > LONGEST_TEXT) throw new UnreadableConfig("it is too long to be compared", null);
  if (text.includes("\0")) throw new UnreadableConfig("it is binary", null);
  // Decoders put U+FFFD where bytes are not UTF-8.
  const damage = /\uFFFD|[\uD800-\uDFFF]/u.exec(text);
  if (damage) throw new UnreadableConfig("it is not UTF-8", text.slice(0, damage.index).split("\n").length);
}

function problemOf(side: string, { problem }: ReadText): string | undefined {
  if (!problem) return undefined;
  return `${side}${problem.line === null ? "" : `, line ${problem.line}`}: ${problem.message}`;
}

function treeChanges(before: ConfigNode[] | undefined, after: ConfigNode[] | undefined): ConfigChange[] {
  const several = (before?.length ?? 0) > 1 || (after?.length ?? 0) > 1;
  const oldRoot = before && rootOf(before, several);
  const newRoot = after && rootOf(after, several);
  if (oldRoot && newRoot) return diffTrees(oldRoot, newRoot);
  return [treeChange("", oldRoot, newRoot)];
}

/** Several documents are compared as a list. */
function rootOf(trees: ConfigNode[], several: boolean): ConfigNode {
  const [only = scalarNode(null, 1)] = trees;
  return several ? listNode(trees, 1) : only;
}

function textChanges(before: string | undefined, after: string | undefined): ConfigChange[] {
  const comparable = [before, after].every((text) => text === undefined || isComparable(text));
  if (comparable && before !== undefined && after !== undefined) return diffText(before, after);
  const side = (text: string | undefined) => (text === undefined ? undefined : { value: text, line: 1 });
  const change = valueChange("", side(before), side(after));
  if (!comparable) {
    delete change.before;
    delete change.after;
  }
  return [change];
}

const isComparable = (text: string): boolean => text.length <= LONGEST_TEXT && !text.includes("\0");
