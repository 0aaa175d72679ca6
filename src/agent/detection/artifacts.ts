import type { Framework } from "../detect-framework.js";
import { globMatcher } from "../glob-matcher.js";
import { KAI_YAML } from "../kai-yaml/kai-yaml.js";

interface Suggestion {
  readonly kind: "prompts" | "tools" | "environment" | "data" | "config" | "code";
  readonly glob: string;
  /** Only for these frameworks; for all where none is named. */
  readonly frameworks?: readonly Framework[];
}

const SUGGESTIONS: readonly Suggestion[] = [
  { kind: "prompts", glob: "**/prompts/**" },
  { kind: "prompts", glob: "prompts.py" },
  { kind: "prompts", glob: "prompts.ts" },
  { kind: "prompts", glob: "CLAUDE.md", frameworks: ["claude-code"] },
  { kind: "prompts", glob: ".claude/agents/**", frameworks: ["claude-code"] },
  { kind: "prompts", glob: ".claude/commands/**", frameworks: ["claude-code"] },
  { kind: "prompts", glob: ".claude/skills/**/*.md", frameworks: ["claude-code"] },
  { kind: "prompts", glob: ".claude/rules/**", frameworks: ["claude-code"] },
  { kind: "prompts", glob: "**/config/agents.yaml", frameworks: ["crewai"] },
  { kind: "prompts", glob: "**/config/tasks.yaml", frameworks: ["crewai"] },
  { kind: "prompts", glob: "**/agents/*.jsonc", frameworks: ["crewai"] },
  { kind: "tools", glob: "**/tools/**" },
  { kind: "tools", glob: "tools.py" },
  { kind: "tools", glob: "tools.ts" },
  { kind: "tools", glob: ".mcp.json", frameworks: ["claude-code"] },
  { kind: "environment", glob: "Dockerfile" },
  { kind: "environment", glob: "pnpm-lock.yaml" },
  { kind: "environment", glob: "Pipfile" },
  { kind: "data", glob: "knowledge/**", frameworks: ["crewai"] },
  { kind: "config", glob: "*.jsonc" },
  { kind: "config", glob: "*.yml" },
  { kind: "config", glob: "*.ini" },
  { kind: "code", glob: "*.mjs" },
  { kind: "code", glob: "*.tsx" },
  { kind: "code", glob: "*.sh" },
];

/** The whole `include` of each kind for which the defaults miss files that are there. */
export function suggestArtifacts(files: readonly string[], framework: Framework): Record<string, string[]> {
  const artifacts: Record<string, string[]> = {};
  for (const { kind, glob, frameworks } of SUGGESTIONS) {
    if (frameworks && !frameworks.includes(framework)) continue;
    const globs = artifacts[kind] ?? defaultsOf(kind);
    const missed = files.filter(globMatcher([glob])).filter((file) => !globMatcher(globs)(file));
    if (missed.length > 0) artifacts[kind] = [...globs, glob];
  }
  return artifacts;
}

const defaultsOf = (kind: Suggestion["kind"]): string[] => [
  ...KAI_YAML.fields.version_management.schema.fields.artifacts.schema.fields[kind].schema.fields.include.schema
    .fallback,
];
