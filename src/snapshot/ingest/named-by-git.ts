import { readdir, realpath } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { type GitSetting, listConfig } from "../../git/list-config.js";
import type { Repository } from "../../git/repository.js";
import { namedBy } from "./named-by-command.js";
import { folded } from "./shell-pattern.js";

/** Settings whose value is a command of a shell, or a program. */
const COMMANDS = new RegExp(
  [
    /^(?:alias|pager)\./,
    /\.(?:\w*(?:command|cmd|program|hook|editor|proxy|pager|askpass|fsmonitor)|uploadpack|receivepack|clean|smudge|process)$/,
    /\.(?:textconv|driver|external|difffilter|helper|update|smtpserver)$/,
    /^(?:difftool|mergetool|man|browser)\..+\.path$/,
  ]
    .map(({ source }) => source)
    .join("|"),
);

/** Of those, what names something of git's own unless its value says that it is a command or a path. */
const OWN = /^(?:alias\.|credential\.|submodule\.)/;

const HOOKS = "core.hookspath";

/** Settings that name a file by which git is configured, or decides whom it trusts. */
const FILES: readonly string[] = ["core.attributesfile", "gpg.ssh.allowedsignersfile", "gpg.ssh.revocationfile"];

const BOOLEAN = /^(?:true|false|yes|no|on|off|\d*)$/i;

/** Why git runs or obeys a readable path of the files, by its configuration; undefined where it does not. */
export type WhyNamed = (path: string) => string | undefined;

/**
 * What git's configuration and the links among its hooks name of an agent's files: programs that git starts, folders of hooks, and files
 * that it reads as configuration.
 */
export async function namedByGit(repository: Repository): Promise<WhyNamed> {
  const settings = await listConfig(repository);
  const naming = new Naming(repository);
  const matchers: { key: string; names: (path: string) => boolean }[] = [];
  for (const setting of settings) {
    const names = await naming.namesOf(setting);
    if (names !== undefined) matchers.push({ key: `git's ${setting.key}`, names });
  }
  for (const hook of await naming.linkedHooks(settings)) matchers.push({ key: "a hook of git", names: hook });
  return (file) => {
    const key = matchers.find(({ names }) => names(file))?.key;
    return key && `${key} names it`;
  };
}

class Naming {
  readonly #repository: Repository;
  readonly #home: string;
  /** Folders that have the files: of this worktree, and of the one beside the repository. */
  readonly #roots: readonly string[];

  constructor({ callerEnv, ...repository }: Repository) {
    this.#repository = { callerEnv, ...repository };
    this.#home = callerEnv["HOME"] ?? homedir();
    this.#roots = [repository.workTree ?? repository.gitDir, path.dirname(repository.commonDir)];
  }

  async namesOf({ key, value, file }: GitSetting): Promise<((path: string) => boolean) | undefined> {
    if (key === HOOKS || FILES.includes(key)) return this.#around(this.#placeOf(value));
    if (/^include(?:if\..*)?\.path$/s.test(key)) return this.#around(this.#placeOf(value, path.dirname(file ?? "/")));
    if (!COMMANDS.test(key) || BOOLEAN.test(value)) return undefined;
    if (OWN.test(key) && !/^!|^[~/]/.test(value)) return undefined;
    const here = this.#roots.reduce(
      (text, root) => text.replaceAll(`${root}/`, "./"),
      value.replace(/^!/, "").replace(/(?<![^\s'"=])~\//g, `${this.#home}/`),
    );
    return namedBy(here).isNamed;
  }

  /** What hooks that are links lead to. */
  async linkedHooks(settings: readonly GitSetting[]): Promise<((path: string) => boolean)[]> {
    const named = settings.filter(({ key }) => key === HOOKS).map(({ value }) => this.#placeOf(value));
    const links: Promise<(path: string) => boolean>[] = [];
    for (const folder of [path.join(this.#repository.commonDir, "hooks"), ...named]) {
      const hooks = await readdir(folder, { withFileTypes: true }).catch(() => []);
      for (const hook of hooks) if (hook.isSymbolicLink()) links.push(this.#around(path.join(folder, hook.name)));
    }
    return Promise.all(links);
  }

  #placeOf(value: string, base = ""): string {
    return path.resolve(this.#roots[0] ?? "/", base, value.replace(/^~\//, `${this.#home}/`));
  }

  /** What is, lies below, or leads to what a setting names as a path, also where links lead there. */
  async #around(named: string): Promise<(path: string) => boolean> {
    const places = new Set([named, await realpath(named).catch(() => named)]);
    const files = [...places].flatMap((place) =>
      this.#roots.map((root) => path.relative(root, place)).filter((file) => !/^\.\.(?:\/|$)/.test(file)),
    );
    const names = files.map(folded);
    return (changed) => names.some((file) => isAround(file, folded(changed)));
  }
}

const isAround = (file: string, changed: string): boolean =>
  file === "" || `${changed}/`.startsWith(`${file}/`) || file.startsWith(`${changed}/`);
