import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";
import { type Entry, LOG_REF, parseEntryMessage } from "../../src/operation/entry.js";
import { pathBelow } from "../../src/system/path-bytes.js";
import type { Agent } from "../support/agent.js";

/** All that a user could see of an agent at one moment. */
export interface Observed {
  readonly refs: ReadonlyMap<string, string>;
  /** Every file of the working tree with its mode and digest. */
  readonly files: ReadonlyMap<string, string>;
  readonly status: string;
  /** What the index holds. */
  readonly staged: string;
}

export function observe(agent: Agent): Observed {
  const refs = new Map<string, string>();
  for (const line of agent.git("for-each-ref", "--format=%(refname) %(objectname)").split("\n")) {
    const [name = "", id = ""] = line.split(" ");
    if (name !== "") refs.set(name, id);
  }
  const status = agent.git("status", "--porcelain=v2", "-z", "--untracked-files=all");
  return { refs, files: filesBelow(agent.dir), status, staged: agent.git("ls-files", "--stage", "-z") };
}

/** The same as a failed operation has to leave it that tells of itself in the log. */
export function observeButLog(agent: Agent): Observed {
  const seen = observe(agent);
  return { ...seen, refs: new Map([...seen.refs].filter(([ref]) => ref !== LOG_REF)) };
}

function filesBelow(root: string): Map<string, string> {
  const files = new Map<string, string>();
  const walk = (folder: string) => {
    for (const name of readdirSync(pathBelow(root, folder), "latin1")) {
      const below = folder === "" ? name : `${folder}/${name}`;
      if (below === ".git") continue;
      const file = pathBelow(root, below);
      if (lstatSync(file).isDirectory()) {
        files.set(`${below}/`, "folder");
        walk(below);
      } else files.set(below, describeFile(file));
    }
  };
  walk("");
  return files;
}

function describeFile(file: Buffer): string {
  const stat = lstatSync(file);
  if (stat.isSymbolicLink()) return `link ${readlinkSync(file, "latin1")}`;
  if (!stat.isFile()) return "special";
  const digest = createHash("sha256").update(readFileSync(file)).digest("hex");
  return `${stat.mode & 0o100 ? "program" : "file"} ${digest}`;
}

/** The entry that a log ref's commit holds. */
export function entryAt(agent: Agent, commit: string): Entry {
  const parsed = parseEntryMessage(agent.git("log", "-1", "--format=%B", commit, "--"));
  if (!parsed) throw new Error(`${commit} is no entry of the log`);
  return parsed.entry;
}

/** Files of ours or of git's that nobody needs any more: locks, staging, journals, temporary objects. */
export function leftovers(agent: Agent): string[] {
  const found: string[] = [];
  const walk = (folder: string, depth: number) => {
    for (const entry of readdirSync(path.join(agent.dir, folder), { withFileTypes: true })) {
      const below = path.join(folder, entry.name);
      if (isLeftover(below)) found.push(below);
      else if (entry.isDirectory() && depth < 8) walk(below, depth + 1);
    }
  };
  walk(".git", 0);
  for (const name of readdirSync(agent.dir)) if (name.startsWith(".kai-")) found.push(name);
  return found;
}

function isLeftover(file: string): boolean {
  if (/^\.git\/kai\/(journal|staging)\/./.test(file)) return true;
  // What a user had is kept there under its own names.
  if (/^\.git\/kai\/replaced\/\w+\/\d+\//.test(file)) return false;
  const name = path.basename(file);
  if (/^\d+\.(?:copy|part|copy\.part)$/.test(name)) return true;
  return name.endsWith(".lock") || /^(tmp_|\.tmp-|fast_import_crash)/.test(name) || /\.(new-\d+|tmp)$/.test(name);
}

export const gitFile = (agent: Agent, name: string): string => path.join(agent.dir, ".git", name);

export const hasGitFile = (agent: Agent, name: string): boolean => existsSync(gitFile(agent, name));
