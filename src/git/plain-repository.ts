import { accessSync, constants, lstatSync, readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import path from "node:path";

/** Where a repository is that has nothing out of the ordinary; both paths absolute, links followed. */
export interface PlainRepository {
  readonly gitDir: string;
  readonly workTree: string;
}

/** Variables of git's that have no say in which repository is found, or of what kind it is. */
const NO_SAY =
  /^GIT_(?:(?:AUTHOR|COMMITTER|TRACE|TRACE2|SSH|SSL|HTTP|CURL|PROXY|LFS|PS1|MERGE)(?:_.*)?|(?:SEQUENCE_)?EDITOR|PAGER|ASKPASS|TERMINAL_PROMPT|OPTIONAL_LOCKS|EXEC_PATH|CONFIG_(?:NOSYSTEM|GLOBAL|SYSTEM|COUNT|(?:KEY|VALUE)_\d+))$/;

/**
 * The repository around `cwd` where it is one as `git init` and `git clone` make them: a folder `.git`, this user's as its worktree is,
 * on one file system with `cwd`, of SHA-1, with all history and refs in files. To look at it takes a part of a millisecond, and to ask
 * git some ten. Undefined wherever git could find another one, refuse this one, or read it otherwise: then git has to be asked. The order
 * is that of gitrepository-layout and of the discovery that git(1) describes.
 */
export function findPlainRepository(cwd: string, env: NodeJS.ProcessEnv): PlainRepository | undefined {
  if (Object.keys(env).some((name) => name.startsWith("GIT_") && !NO_SAY.test(name))) return undefined;
  try {
    let folder = realpathSync(cwd);
    const { dev } = statSync(folder);
    for (;;) {
      const here = statSync(folder);
      const gitDir = path.join(folder, ".git");
      const found = lstatSync(gitDir, { throwIfNoEntry: false });
      if (here.dev !== dev || (found && found.dev !== dev)) return undefined;
      if (found) return isOwn(here) && isPlain(gitDir, found) ? { gitDir, workTree: folder } : undefined;
      // Git might take the folder itself for a bare one.
      if (lstatSync(path.join(folder, "HEAD"), { throwIfNoEntry: false })) return undefined;
      const parent = path.dirname(folder);
      if (parent === folder) return undefined;
      folder = parent;
    }
  } catch {
    return undefined;
  }
}

const isOwn = ({ uid }: Stats): boolean => uid === process.geteuid?.();

function isPlain(gitDir: string, found: Stats): boolean {
  const at = (name: string) => lstatSync(path.join(gitDir, name), { throwIfNoEntry: false });
  return (
    found.isDirectory() &&
    isOwn(found) &&
    isSearched(at("objects"), path.join(gitDir, "objects")) &&
    isSearched(at("refs"), path.join(gitDir, "refs")) &&
    at("commondir") === undefined &&
    at("shallow") === undefined &&
    isRegular(at("HEAD")) &&
    /^(?:ref: refs\/|[0-9a-f]{40}\n)/.test(readFileSync(path.join(gitDir, "HEAD"), "latin1")) &&
    isRegular(at("config")) &&
    isPlainConfig(readFileSync(path.join(gitDir, "config"), "utf8"))
  );
}

/** A folder that may be entered: git passes over a repository in which one may not. */
function isSearched(found: Stats | undefined, folder: string): boolean {
  if (found?.isDirectory() !== true) return false;
  accessSync(folder, constants.X_OK);
  return true;
}

/** So that a FIFO holds nobody up. */
const isRegular = (found: Stats | undefined): boolean => found?.isFile() === true;

const HEADER = /^\[(?<section>[\w.-]+)(?: "[^"\\]*")?\]$/;
const SETTING = /^(?<key>[A-Za-z][A-Za-z\d-]*)(?: *= *(?<value>[^"\\]*|"(?:[^"\\]|\\["\\nbt])*"))?$/;

/** What git takes for blank, at either end. */
const BLANKS = /^[ \t]+|[ \t\r]+$/g;

/** The settings of `core` that make a repository what it is, with the values of an ordinary one; undefined: not there. */
const ORDINARY: Readonly<Record<string, string | undefined>> = {
  repositoryformatversion: "0",
  bare: "false",
  worktree: undefined,
};

/** Whether a repository's own configuration says that it is of the oldest format, has a worktree, and has it where it seems to be. */
function isPlainConfig(text: string): boolean {
  const core = coreSettings(text);
  return core !== undefined && Object.entries(ORDINARY).every(([key, value]) => core.get(key) === value);
}

/** The settings of the section `core`; undefined where it is not written plainly, or there are extensions. */
function coreSettings(text: string): Map<string, string> | undefined {
  const core = new Map<string, string>();
  let isCore = false;
  for (const line of text.split("\n").map((each) => each.replace(BLANKS, ""))) {
    if (line === "" || /^[#;]/.test(line)) continue;
    const header = HEADER.exec(line)?.groups;
    const setting = SETTING.exec(line)?.groups;
    if (header) {
      isCore = /^\[core\]$/i.test(line);
      if (!isCore && /^(?:core|extensions)\b/i.test(header["section"] ?? "")) return undefined;
    } else if (!setting) return undefined;
    else if (isCore) {
      const [key, value] = [(setting["key"] ?? "").toLowerCase(), setting["value"] ?? ""];
      // Which of two holds is for git to say.
      if (key in ORDINARY && core.has(key)) return undefined;
      core.set(key, value);
    }
  }
  return core;
}
