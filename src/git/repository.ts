import { statSync } from "node:fs";
import { KaiError } from "../error.js";
import { runProcess } from "../system/process.js";
import { findBareFolder, isBelowGit, isEmbedded } from "./bare-folder.js";
import { plumbingEnvironment, repositoryEnvironment, searchingEnvironment } from "./environment.js";
import { findPlainRepository, type PlainRepository } from "./plain-repository.js";

export type ObjectFormat = "sha1" | "sha256";

/** Where a repository is and of what kind; all paths absolute. */
export interface Repository {
  /** Of this worktree; in a linked worktree not the common one. */
  readonly gitDir: string;
  readonly commonDir: string;
  /** Undefined in a bare repository. */
  readonly workTree: string | undefined;
  readonly bare: boolean;
  readonly shallow: boolean;
  readonly objectFormat: ObjectFormat;
  /** Whether it is known without git: then its refs are files. */
  readonly plain: boolean;
  /** For every git process in it. */
  readonly env: NodeJS.ProcessEnv;
  /** As the caller gave it: for programs that are not git. */
  readonly callerEnv: NodeJS.ProcessEnv;
}

const QUESTIONS = [
  "--path-format=absolute",
  "--is-bare-repository",
  "--is-inside-work-tree",
  "--show-object-format",
  // Asked thrice: between the paths its answer is a separator that no path with a newline is mistaken for.
  "--is-shallow-repository",
  "--absolute-git-dir",
  "--is-shallow-repository",
  "--git-common-dir",
  "--is-shallow-repository",
  "--show-toplevel",
];

const ANSWERS =
  /^(?<bare>true|false)\n(?<inside>true|false)\n(?<format>sha1|sha256)\n(?<shallow>true|false)\n(?<gitDir>[\s\S]*)\n\k<shallow>\n(?<commonDir>[\s\S]*)\n\k<shallow>\n(?<top>[\s\S]*)$/;

/**
 * Finds the repository around `cwd` as git itself does, `GIT_DIR` included, and asks git unless it is an ordinary one. E104 where
 * there is none, or one without a `.git` that may have come with a commit.
 */
export async function openRepository(cwd: string, env: NodeJS.ProcessEnv): Promise<Repository> {
  const plain = findPlainRepository(cwd, env);
  return plain ? openPlain(plain, env) : askForRepository(cwd, env);
}

const openPlain = (found: PlainRepository, env: NodeJS.ProcessEnv): Repository => ({
  ...found,
  commonDir: found.gitDir,
  bare: false,
  shallow: false,
  objectFormat: "sha1",
  plain: true,
  env: repositoryEnvironment(env, found),
  callerEnv: env,
});

async function askForRepository(cwd: string, env: NodeJS.ProcessEnv): Promise<Repository> {
  const ask = (environment: NodeJS.ProcessEnv) =>
    runProcess({ file: "git", args: ["rev-parse", ...QUESTIONS], cwd: existingFolder(cwd), env: environment });
  const found = await ask(searchingEnvironment(env));
  const bareFolder = findBareFolder(found.stderr.toString());
  if (bareFolder !== undefined && (await isEmbedded(bareFolder, env))) throw notTrusted(bareFolder);
  const { stdout, stderr } = bareFolder === undefined ? found : await ask(plumbingEnvironment(env));
  const answers = ANSWERS.exec(stdout.toString());
  if (!answers?.groups) throw notARepository(cwd, stderr.toString());
  const { bare, format, shallow, gitDir, commonDir, top } = answers.groups as Record<string, string>;
  const workTree = bare === "true" || !top ? undefined : top.replace(/\n$/, "");
  // Not what `git init --bare` or `git clone --bare` make.
  if (bareFolder !== undefined && workTree !== undefined && !isBelowGit(bareFolder)) throw notTrusted(bareFolder);
  return {
    gitDir: gitDir ?? "",
    commonDir: commonDir ?? "",
    workTree,
    bare: workTree === undefined,
    shallow: shallow === "true",
    objectFormat: format === "sha256" ? "sha256" : "sha1",
    plain: false,
    env: repositoryEnvironment(env, { gitDir: gitDir ?? "", workTree }),
    callerEnv: env,
  };
}

/** The folder itself; E104 where it is none, which starting a program in it would not tell from a missing program. */
export function existingFolder(cwd: string): string {
  try {
    if (statSync(cwd).isDirectory()) return cwd;
  } catch {
    // Said below.
  }
  throw new KaiError("E104", `There is no folder ${cwd}.`, { hint: "Give the folder of a git repository behind -C." });
}

const notTrusted = (folder: string): KaiError =>
  new KaiError("E104", `${folder} looks like a repository, but may have come with the files of another one.`, {
    hint: `What its configuration names is not run. Run it elsewhere; if it is yours: \`GIT_DIR=${folder} git kai-version …\``,
  });

function notARepository(cwd: string, stderr: string): KaiError {
  if (/dubious ownership/.test(stderr)) {
    return new KaiError("E104", `git does not trust ${cwd}: it belongs to another user.`, {
      hint: `If you trust it: \`git config --global --add safe.directory ${cwd}\``,
    });
  }
  const reason = stderr.split("\n").find((line) => line.startsWith("fatal: "));
  const known = reason === undefined || /not a git repository/.test(reason);
  return new KaiError(
    "E104",
    known ? `${cwd} is not in a git repository.` : `git cannot read the repository: ${reason.slice(7)}`,
    {
      hint: "Run it inside your agent's repository, or name that with -C; `git init` makes one.",
    },
  );
}

/** Length of an object id in hexadecimal digits. */
export const hexLength = (format: ObjectFormat): number => (format === "sha1" ? 40 : 64);

export const zeroId = (format: ObjectFormat): string => "0".repeat(hexLength(format));
