import { type ManifestLine, partDigest } from "./manifest.js";
import type { ComponentSummary } from "./record.js";

export interface TreeDescription {
  /** By component: how many files, and the digest of their part of the manifest. */
  readonly components: Readonly<Record<string, ComponentSummary>>;
  /** Digest of all configuration; null where there is none. */
  readonly config: string | null;
  /** Digest of code, prompts and tools together: what decides how the agent behaves. */
  readonly logic: string | null;
}

const LOGIC: ReadonlySet<string> = new Set(["code", "prompts", "tools"]);

/** Sums a version's files up by component. */
export function describeTree(lines: readonly ManifestLine[], componentOf: (path: string) => string): TreeDescription {
  const parts = new Map<string, ManifestLine[]>();
  const logic: ManifestLine[] = [];
  for (const line of lines) {
    const component = componentOf(line[0]);
    const part = parts.get(component);
    if (part) part.push(line);
    else parts.set(component, [line]);
    if (LOGIC.has(component)) logic.push(line);
  }
  const config = parts.get("config");
  return {
    components: Object.fromEntries(
      [...parts].map(([component, part]) => [component, { files: part.length, digest: partDigest(part) }]),
    ),
    config: config === undefined ? null : partDigest(config),
    logic: logic.length === 0 ? null : partDigest(logic),
  };
}
