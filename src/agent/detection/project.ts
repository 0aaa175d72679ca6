import { AGENT_ID } from "../kai-yaml/agent-id.js";

export type Read = (path: string) => Promise<string | undefined>;

export interface FoundDependency {
  readonly path: string;
  readonly line: number;
}

const MOST_READS = 40;
const LONGEST_TEXT = 256 * 1024;
const NOT_OURS =
  /(?:^|\/)(?:node_modules|\.venv|venv|site-packages|vendor|\.git|examples?|fixtures|tests?|__tests__|docs)\//;

/** The files of a would-be agent, and the texts that were looked into. */
export class Project {
  /** Without those of other projects, tests and examples. */
  readonly files: readonly string[];
  readonly #read: Read;
  readonly #texts = new Map<string, Promise<string | undefined>>();

  constructor(files: readonly string[], read: Read) {
    this.files = files.filter((file) => !NOT_OURS.test(file));
    this.#read = read;
  }

  /** The files that `expression` fits, those nearest to the root first. */
  matching(expression: RegExp): string[] {
    return this.files
      .filter((file) => expression.test(file))
      .sort((a, b) => a.split("/").length - b.split("/").length || (a < b ? -1 : 1));
  }

  /** The text of a file, cut where it is very long; undefined where it has none or enough was read. */
  async text(path: string): Promise<string | undefined> {
    const known = this.#texts.get(path);
    if (known) return known;
    if (this.#texts.size >= MOST_READS) return undefined;
    const text = this.#read(path).then((read) => read?.slice(0, LONGEST_TEXT));
    this.#texts.set(path, text);
    return text;
  }

  /** Where one of the Python packages is asked for. */
  async findPythonDependency(packages: readonly string[]): Promise<FoundDependency | undefined> {
    const names = packages.map((name) => name.replace(/[-_.]+/g, "[-_.]+")).join("|");
    // A requirement (PEP 508) at the start of a line or a string, or a key of Poetry's tables.
    const requirement = new RegExp(`(?:^\\s*|["'])(?:${names})(?:\\[[^\\]]*\\])?\\s*(?:[<>=~!@;,^"']|$)`, "i");
    for (const path of this.matching(
      /(?:^|\/)(?:pyproject\.toml|requirements[^/]*\.txt|setup\.cfg|setup\.py|Pipfile)$/,
    )) {
      const lines = ((await this.text(path)) ?? "").split(/\r?\n/);
      const index = lines.findIndex((line) => !/^\s*(?:name|#)/.test(line) && requirement.test(line));
      if (index >= 0) return { path, line: index + 1 };
    }
    return undefined;
  }

  /** Where one of the npm packages is asked for. */
  async findNodeDependency(packages: readonly string[]): Promise<FoundDependency | undefined> {
    for (const path of this.matching(/(?:^|\/)package\.json$/)) {
      const text = (await this.text(path)) ?? "";
      const manifest = parseObject(text);
      const wanted = ["dependencies", "devDependencies", "peerDependencies"].flatMap((key) =>
        Object.keys(objectOf(manifest[key])),
      );
      const name = packages.find((each) => wanted.includes(each));
      if (name !== undefined) return { path, line: lineOf(text, `"${name}"`) };
    }
    return undefined;
  }

  async runtime(): Promise<"python" | "node" | "other"> {
    const { node_version: nodeVersion } = parseObject(
      (this.files.includes("langgraph.json") ? await this.text("langgraph.json") : undefined) ?? "",
    );
    if (nodeVersion !== undefined) return "node";
    const python = this.matching(/\.py$|(?:^|\/)(?:pyproject\.toml|requirements[^/]*\.txt|Pipfile)$/).length;
    const node = this.matching(/\.[cm]?[jt]sx?$|(?:^|\/)package\.json$/).length;
    if (python === 0 && node === 0) return "other";
    return python >= node ? "python" : "node";
  }

  /** The name in pyproject.toml or package.json, where it can be an agent's id. */
  async name(): Promise<string | undefined> {
    const toml = this.files.includes("pyproject.toml") ? await this.text("pyproject.toml") : undefined;
    const manifest = this.files.includes("package.json") ? await this.text("package.json") : undefined;
    const [, ofToml] = /^\s*name\s*=\s*["']([^"'\n]+)["']/m.exec(toml ?? "") ?? [];
    const { name: ofManifest } = parseObject(manifest ?? "");
    const name = ofToml ?? (typeof ofManifest === "string" ? ofManifest.replace(/^@[^/]*\//, "") : undefined);
    return name !== undefined && AGENT_ID.pattern.test(name) ? name : undefined;
  }
}

export function parseObject(text: string): Record<string, unknown> {
  try {
    return objectOf(JSON.parse(text.replace(/^\uFEFF/, "")));
  } catch {
    return {};
  }
}

const objectOf = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

const lineOf = (text: string, part: string): number => {
  const offset = text.indexOf(part);
  return offset < 0 ? 1 : text.slice(0, offset).split("\n").length;
};
