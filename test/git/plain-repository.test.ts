import { execFileSync } from "node:child_process";
import { appendFileSync, chownSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { findPlainRepository } from "../../src/git/plain-repository.js";
import { openRepository } from "../../src/git/repository.js";
import { runGit } from "../../src/git/run-git.js";
import { type Scratch, scratch } from "../support/scratch.js";

const git = ({ dir, env }: Scratch, ...args: string[]): string =>
  execFileSync("git", args, { cwd: dir, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trimEnd();

/** A repository with a commit, and a folder in it. */
function made(...options: string[]): Scratch & { below: string; at: (...names: string[]) => string } {
  const place = scratch();
  git(place, "init", "-q", ...options);
  git(place, "commit", "-q", "--allow-empty", "-m", "x");
  const below = path.join(place.dir, "deep", "er");
  mkdirSync(below, { recursive: true });
  return { ...place, below, at: (...names) => path.join(place.dir, ".git", ...names) };
}

type Made = ReturnType<typeof made>;

/** Set, it has git asked, and changes nothing of what is found below a scratch folder. */
const ASKED = { GIT_CEILING_DIRECTORIES: "/nowhere" };

async function expectAsGitSays({ below, env }: Made): Promise<void> {
  const found = await openRepository(below, env);
  const asked = await openRepository(below, { ...env, ...ASKED });
  const { plain: _ours, callerEnv: _mine, env: ownEnv, ...told } = found;
  const { plain: _asked, callerEnv: _theirs, env: askedEnv, ...said } = asked;
  expect(told).toEqual(said);
  expect({ ...ownEnv, ...ASKED }).toEqual(askedEnv);
}

const ORDINARY: Readonly<Record<string, (place: Made) => unknown>> = {
  "as git init makes it": () => {},
  "with a detached HEAD": (place) => git(place, "checkout", "-q", "--detach"),
  "with remotes, branches and names of its own": (place) => {
    git(place, "config", "remote.origin.url", "https://example.com/a b.git");
    git(place, "config", "branch.fix/a.b.merge", "refs/heads/x");
    git(place, "config", "user.name", 'Ada "the" Agent # 1');
    git(place, "config", "core.autocrlf", "input");
  },
  "with an included file, which says nothing of what it is": (place) => {
    writeFileSync(place.at("more"), "[core]\n\tbare = true\n\tworktree = /elsewhere\n");
    git(place, "config", "include.path", "more");
  },
  "with comments in its configuration": ({ at }) => appendFileSync(at("config"), "# bare = true\n; [extensions]\n"),
};

test.each(Object.entries(ORDINARY))("a repository %s is found as git finds it, without asking", async (_, change) => {
  const place = made();
  change(place);
  expect(findPlainRepository(place.below, place.env)).toEqual({ gitDir: place.at(), workTree: place.dir });
  expect(await openRepository(place.below, place.env)).toMatchObject({ plain: true });
  await expectAsGitSays(place);
});

const set = (key: string, value: string) => (place: Made) => git(place, "config", key, value);

const UNUSUAL: Readonly<Record<string, (place: Made) => unknown>> = {
  "has its worktree elsewhere": (place) => set("core.worktree", path.join(place.dir, "deep"))(place),
  "says so of its worktree in one line": ({ at, dir }) => appendFileSync(at("config"), `[core] worktree = ${dir}\n`),
  "has a comment behind a value": ({ at }) => appendFileSync(at("config"), "[core]\n\tbare = false ; as ever\n"),
  "says so in capitals": ({ at, dir }) => appendFileSync(at("config"), `[CORE]\n\tWorkTree=${dir}\n`),
  "goes on in the next line": ({ at }) => appendFileSync(at("config"), "[core]\n\tgitProxy = x\\\n\tbare = true\n"),
  "has an extension": (place) => {
    set("core.repositoryFormatVersion", "1")(place);
    set("extensions.noop", "true")(place);
  },
  "has an extension in the oldest format": set("extensions.preciousObjects", "true"),
  "is shallow": ({ at }) => writeFileSync(at("shallow"), ""),
  "does not say that it is not bare": (place) => git(place, "config", "--unset", "core.bare"),
  "has its .git behind a link": ({ at, dir }) => {
    renameSync(at(), path.join(dir, "elsewhere"));
    symlinkSync("elsewhere", at());
  },
  "has its .git named by a file": ({ at, dir }) => {
    renameSync(at(), path.join(dir, "elsewhere"));
    writeFileSync(at(), "gitdir: elsewhere\n");
  },
  "has a HEAD that is a link, as of old": ({ at }) => {
    rmSync(at("HEAD"));
    symlinkSync("refs/heads/main", at("HEAD"));
  },
};

test.each(Object.entries(UNUSUAL))("one that %s is git's to find", async (_, change) => {
  const place = made();
  change(place);
  expect(findPlainRepository(place.below, place.env)).toBeUndefined();
  await expectAsGitSays(place);
});

test("one of SHA-256 is git's to find", async () => {
  const place = made("--object-format=sha256");
  expect(findPlainRepository(place.below, place.env)).toBeUndefined();
  expect(await openRepository(place.below, place.env)).toMatchObject({ objectFormat: "sha256", plain: false });
});

test("so are a linked worktree, a bare one, what is inside of .git, and one that is damaged or another user's", async () => {
  const place = made();
  const { dir, env, at, below } = place;
  git(place, "worktree", "add", "-q", path.join(dir, "linked"));
  git(place, "clone", "-q", "--bare", ".", "bare.git");
  for (const folder of ["linked", "bare.git", "bare.git/refs", ".git", ".git/refs/heads", "nowhere"]) {
    expect(findPlainRepository(path.join(dir, folder), env), folder).toBeUndefined();
  }
  // A folder that git might take for a bare repository on the way up.
  mkdirSync(path.join(below, "in"));
  writeFileSync(path.join(below, "HEAD"), "ref: refs/heads/main\n");
  expect(findPlainRepository(path.join(below, "in"), env)).toBeUndefined();
  rmSync(path.join(below, "HEAD"));
  expect(findPlainRepository(below, env)).toBeDefined();
  for (const owned of [at(), dir]) {
    chownSync(owned, 12_345, 12_345);
    expect(findPlainRepository(below, env), owned).toBeUndefined();
    chownSync(owned, process.getuid?.() ?? 0, process.getgid?.() ?? 0);
  }
  rmSync(at("config"));
  execFileSync("mkfifo", [at("config")]);
  expect(findPlainRepository(below, env)).toBeUndefined();
  rmSync(at("config"));
  expect(findPlainRepository(below, env)).toBeUndefined();
});

test("a configuration that git cannot read is said to be one, and is no damage of the log", async () => {
  const { below, env, at } = made();
  writeFileSync(at("broken"), "[broken\n");
  const repository = await openRepository(below, { ...env, GIT_CONFIG_GLOBAL: at("broken") });
  await expect(runGit(repository, ["rev-parse", "HEAD"])).rejects.toMatchObject({
    code: "E104",
    message: expect.stringMatching(/^git cannot read its configuration: bad config line 1 in file /),
  });
});

test("a repository on another file system, or beyond one, is git's to find", () => {
  const { dir, below, env } = made();
  const mount = (at: string) => {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", at]);
    onTestFinished(() => void execFileSync("umount", ["--lazy", at]));
  };
  mkdirSync(path.join(dir, "disk"));
  mount(path.join(dir, "disk"));
  mkdirSync(path.join(dir, "disk", "back"));
  expect(findPlainRepository(path.join(dir, "disk"), env)).toBeUndefined();
  // From the first disk again, with another one in between.
  execFileSync("mount", ["--bind", below, path.join(dir, "disk", "back")]);
  onTestFinished(() => void execFileSync("umount", ["--lazy", path.join(dir, "disk", "back")]));
  expect(findPlainRepository(path.join(dir, "disk", "back"), env)).toBeUndefined();
  expect(findPlainRepository(below, env)).toBeDefined();
});

test.each(["GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_OBJECT_DIRECTORY", "GIT_OF_TOMORROW"])(
  "git is asked where %s is set",
  (name) => {
    const { below, env } = made();
    expect(findPlainRepository(below, { ...env, [name]: "x" })).toBeUndefined();
  },
);
