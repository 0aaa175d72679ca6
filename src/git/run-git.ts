import { KaiError } from "../error.js";
import { type ProcessResult, runProcess } from "../system/process.js";
import { findBareFolder } from "./bare-folder.js";
import { searchingEnvironment } from "./environment.js";
import { existingFolder, openRepository, type Repository } from "./repository.js";

export interface GitOptions {
  input?: string | Uint8Array | undefined;
  /** Settings for this one process, `key=value`. */
  config?: readonly string[] | undefined;
  env?: NodeJS.ProcessEnv | undefined;
  /** Descriptors that the process inherits from 3 on: the lock. */
  inherit?: readonly number[] | undefined;
  cwd?: string | undefined;
  /** Takes stdout as it comes; the result then holds none of it. */
  onStdout?: ((chunk: Buffer) => void) | undefined;
}

/** Runs git in `repository` (the *local* way of calling it) and gives whatever came of it. */
export function tryGit(
  repository: Repository,
  args: readonly string[],
  options: GitOptions = {},
): Promise<ProcessResult> {
  return runProcess({
    file: "git",
    args: [...(options.config ?? []).flatMap((setting) => ["-c", setting]), ...args],
    cwd: options.cwd ?? repository.workTree ?? repository.gitDir,
    env: options.env ? { ...repository.env, ...options.env } : repository.env,
    input: options.input,
    inherit: options.inherit,
    onStdout: options.onStdout,
  });
}

/** Runs git and gives its stdout; E116 with git's own words where it fails. */
export async function runGit(
  repository: Repository,
  args: readonly string[],
  options: GitOptions = {},
): Promise<Buffer> {
  const result = await tryGit(repository, args, options);
  if (result.exitCode !== 0) throw gitFailure(args, result);
  return result.stdout;
}

/**
 * Runs git in the repository around `cwd`, which it finds for itself: one process less than opening that first. E104 where
 * there is none, E116 where git fails.
 */
export async function runGitAround(cwd: string, env: NodeJS.ProcessEnv, args: readonly string[]): Promise<Buffer> {
  const options = { file: "git", args, cwd: existingFolder(cwd), env: searchingEnvironment(env) };
  const result = await runProcess(options);
  if (result.exitCode === 0) return result.stdout;
  const repository = await openRepository(cwd, env);
  if (findBareFolder(result.stderr.toString()) !== undefined) return runGit(repository, args);
  throw gitFailure(args, result);
}

/** Ways on from what git says. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /smudge filter lfs failed/,
    "Nothing was changed. `git lfs fetch --all` brings contents; with GIT_LFS_SKIP_SMUDGE=1 pointers stand in their place.",
  ],
  [
    /(?:smudge|clean) filter .+ failed/,
    "Nothing was changed. `git config --get-regexp '^filter\\.'` shows what git runs for such files: it has to work here, too, or its `required` be false.",
  ],
  [
    /cannot lock ref '[^']+': is at [0-9a-f]+ but expected/,
    "Somebody else moved it at this moment, such as by a commit: run it again.",
  ],
  [
    /'[^']+' exists; cannot create '[^']+'/,
    "Git keeps no branch or tag below another one: rename the one that exists (`git branch -m`; of a tag `git tag NEW OLD`, then `git tag -d OLD`), and run it again.",
  ],
];

/** What a failed git process means to the user: a held lock, a disk that cannot be written, or git's own words. */
export function gitFailure(
  args: readonly string[],
  result: Pick<ProcessResult, "stderr" | "exitCode" | "signal">,
): KaiError {
  const words = result.stderr.toString().trim();
  const command = `git ${args[0] ?? ""}`;
  if (/No space left on device|Disk quota exceeded|Out of diskspace/.test(words)) {
    return new KaiError("E118", `The disk is full (${command}).`, {
      hint: "Nothing was changed. Free some space and run it again.",
    });
  }
  if (/Read-only file system|Input\/output error|Permission denied|insufficient permission/.test(words)) {
    return new KaiError("E118", `${command} could not write: ${lastLine(words)}`, {
      hint: `Nothing was changed. Mend the disk or the permissions and run it again.${/ermission/.test(words) ? OTHERS : ""}`,
    });
  }
  const unset = words.split("\n").find((line) => /^fatal: bad (?:config|boolean|numeric)\b/.test(line));
  if (unset !== undefined) {
    return new KaiError("E104", `git cannot read its configuration: ${unset.replace(/^fatal: /, "")}`, {
      hint: "Nothing was changed. `git config --list --show-origin` shows where it is read from; mend that file.",
    });
  }
  const unwritten = words.split("\n").find((line) => /couldn't write|unable to write|write error/.test(line));
  if (unwritten !== undefined || result.signal === "SIGXFSZ") {
    // git knew why, and did not say it.
    const why = unwritten ?? "the file would be larger than files may be here (`ulimit -f`)";
    return new KaiError("E118", `${command} could not write: ${why}`, {
      hint: "Nothing was changed. Free some space, or mend the disk or its limits, and run it again.",
    });
  }
  const lock = /Unable to create '(?<file>[^']+\.lock)': File exists/.exec(words)?.groups?.["file"];
  if (lock !== undefined) {
    return new KaiError("E113", `Another git process holds ${lock}.`, {
      hint: "Wait for it to end and run the command again; if none runs, remove that file.",
    });
  }
  const end = result.signal ? `was ended by ${result.signal}` : `failed with status ${result.exitCode}`;
  return new KaiError("E116", `${command} ${end}${words === "" ? "." : `: ${lastLine(words)}`}`, {
    hint: HINTS.find(([told]) => told.test(words))?.[1],
    data: words === "" ? undefined : { stderr: words },
  });
}

const OTHERS =
  ' `find "$(git rev-parse --git-common-dir)" ! -user "$(id -un)"` lists what is somebody else\'s there, such as what a command left that ran with sudo.';

const lastLine = (text: string): string => text.split("\n").at(-1) ?? "";
