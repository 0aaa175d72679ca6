import type { Dependencies, Dependency, LockFileText } from "./dependency.js";
import { pypiPackageUrl, withoutCredentials } from "./package-url.js";
import { normalizePypiName } from "./pypi-name.js";

export interface Requirements extends Dependencies {
  /** What `-r` names, as written, with the line. */
  includes: { target: string; line: number }[];
}

const REQUIREMENT = /^([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*(.*)$/s;
const INCLUDE = /^(?:-r\s*|--requirement[\s=]\s*)(\S.*)$/;
const EDITABLE = /^(?:-e\s*|--editable[\s=]\s*)(\S.*)$/;
const PIN = /^\(?\s*={2,3}\s*([^\s,;*)]+)\s*\)?$/;
const HASH = /\s--hash[=\s]\s*(\w+:[0-9a-fA-F]+)/g;
const VCS = /^(?:git|hg|svn|bzr)\+[^\s]+$/;

/**
 * Reads a pip requirements file (pip.pypa.io, "Requirements File Format"; PEP 508). What is not held at one version is
 * told as a problem. The `# via` comments of pip-compile say what is direct; without them all is.
 */
export function readRequirements({ path, text }: LockFileText): Requirements {
  const found: Requirements = { dependencies: [], problems: [], includes: [] };
  let last: Dependency | undefined;
  let via: string[] = [];
  const settle = () => {
    if (last && via.length > 0)
      last.direct = via.some((source) => /^-r |\((?:pyproject\.toml|setup\.(?:py|cfg))\)$/.test(source));
    via = [];
    last = undefined;
  };
  for (const { content, comment, line } of logicalLines(text)) {
    if (content === "") {
      via.push(...viaOf(comment, via.length > 0));
      continue;
    }
    settle();
    const include = INCLUDE.exec(content);
    if (include) found.includes.push({ target: include[1] ?? "", line });
    const editable = EDITABLE.exec(content);
    // Other options are no packages, and an editable path is the agent's own code.
    if (content.startsWith("-") && !VCS.test(editable?.[1] ?? "")) continue;
    const read = readRequirement(editable?.[1] ?? content);
    if ("problem" in read) {
      found.problems.push({ path, line, message: read.problem });
      continue;
    }
    last = { ...read, file: path, line, direct: true };
    found.dependencies.push(last);
    via.push(...viaOf(comment, false));
  }
  settle();
  return found;
}

type Requirement = Omit<Dependency, "file" | "line" | "direct"> | { problem: string };

function readRequirement(content: string): Requirement {
  const hash = [...content.matchAll(HASH)]
    .map(([, digest = ""]) => digest)
    .sort()
    .join(" ");
  const [bare = ""] = content.split(/\s--[a-z]/);
  if (VCS.test(bare.trim())) return fromUrl(/[#&]egg=([A-Za-z0-9][\w.-]*)/.exec(bare)?.[1], bare.trim());
  const match = REQUIREMENT.exec(bare);
  const name = match?.[1];
  const rest = (match?.[2] ?? "").trim();
  if (name === undefined || rest.startsWith("/") || rest.startsWith(":")) {
    return { problem: `\`${shown(bare)}\` is a path or a URL, which has no version to record.` };
  }
  const url = /^@\s*(\S+)/.exec(rest)?.[1];
  if (url !== undefined) return fromUrl(name, url);
  const version = PIN.exec((rest.split(";")[0] ?? "").trim())?.[1];
  if (version === undefined) {
    return { problem: `\`${shown(bare)}\` is not held at one version; write \`${name}==…\`.` };
  }
  return requirement(name, version, hash);
}

/** A version control URL is held at what stands after the `@` of its last part. */
function fromUrl(name: string | undefined, url: string): Requirement {
  const [address = ""] = url.split("#");
  const place = address.slice(address.lastIndexOf("/") + 1);
  const commit = place.includes("@") ? place.slice(place.lastIndexOf("@") + 1) : "";
  if (name === undefined) return { problem: `\`${shown(url)}\` does not say its name; add \`#egg=NAME\`.` };
  if (!VCS.test(url)) return { problem: `${name} comes from a URL, which has no version to record.` };
  if (commit === "") return { problem: `${name} is not held at one commit; add \`@COMMIT\` to its URL.` };
  return requirement(name, commit, "", address);
}

function requirement(name: string, version: string, hash: string, vcsUrl?: string): Requirement {
  return {
    purl: pypiPackageUrl(name, version, vcsUrl),
    ...{ name: normalizePypiName(name), version, ecosystem: "pypi" },
    ...(hash === "" ? {} : { hash }),
  };
}

/** Shortened, for a message. */
const shown = (text: string): string => withoutCredentials(text.trim()).slice(0, 80);

interface LogicalLine {
  content: string;
  comment: string;
  /** Of its first physical line, from 1. */
  line: number;
}

/** Lines joined where one ends in a backslash; a comment begins at a `#` that stands first or after a blank. */
function* logicalLines(text: string): Generator<LogicalLine> {
  let parts: string[] = [];
  let start = 1;
  for (const [index, physical] of text
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\r|\n/)
    .entries()) {
    if (parts.length === 0) start = index + 1;
    const isComment = /^\s*#/.test(physical);
    if (physical.endsWith("\\") && !isComment) {
      parts.push(physical.slice(0, -1));
      continue;
    }
    yield splitComment([...parts, physical].join(" "), start);
    parts = [];
  }
  if (parts.length > 0) yield splitComment(parts.join(" "), start);
}

function splitComment(text: string, line: number): LogicalLine {
  const at = /(?:^|\s)#/.exec(text);
  if (!at) return { content: text.trim(), comment: "", line };
  return { content: text.slice(0, at.index).trim(), comment: text.slice(at.index).trim(), line };
}

/** `# via flask, -r requirements.in`, or `# via` with one source on each comment line that follows. */
function viaOf(comment: string, goesOn: boolean): string[] {
  const said = comment.replace(/^#\s*/, "");
  const sources = /^via\b(.*)$/.exec(said)?.[1] ?? (goesOn ? said : undefined);
  return sources === undefined ? [] : sources.split(",").map((source) => source.trim());
}
