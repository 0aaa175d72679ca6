// Builds the agents of this folder as fresh git repositories. An agent is a folder with `files/base/`, what its first
// commits hold; `files/<step>/`, what a later step lays over it; and `history.json`, which says in which commits they come.
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const here = fileURLToPath(new URL(".", import.meta.url));

const IDENTITY = "Ada Agent <ada@example.com>";
const FIRST_COMMIT = Date.UTC(2026, 0, 12, 9) / 1000;
const BETWEEN_COMMITS = 3 * 60 * 60;

/** Every agent there is, with its steps in the order in which they are applied. */
export function listAgents() {
  return readdirSync(here, { withFileTypes: true })
    .filter((entry) => existsSync(path.join(here, entry.name, "history.json")))
    .map(({ name }) => ({ name, summary: historyOf(name).summary, steps: Object.keys(historyOf(name).steps) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Makes a repository of the agent `name` in `dest`, which is made where it is missing and must be empty. Gives the id of
 * the last commit. The same call makes the same commits everywhere, because identity and dates are fixed.
 */
export async function buildAgent(name, dest, { env }) {
  const { base } = historyOf(name);
  mkdirSync(dest, { recursive: true });
  if (readdirSync(dest).length > 0) throw new Error(`${dest} is not empty`);
  const git = gitIn(dest, env);
  await git(["init", "-q", "--template=", "--initial-branch=main"]);
  const commits = datedCommits(base, (index) => FIRST_COMMIT + index * BETWEEN_COMMITS);
  return await commitAll(git, {
    source: path.join(here, name, "files", "base"),
    dest,
    commits,
    branch: "refs/heads/main",
  });
}

/**
 * Adds the commits of a step, such as `v1.1` of the document summariser, to the branch that is checked out in a repository
 * that `buildAgent` made. They are dated `date`, or else some hours after the commit that is there.
 */
export async function applyStep(name, step, dest, { env, date }) {
  const planned = historyOf(name).steps[step];
  if (!planned) throw new Error(`the agent ${name} has no step ${step}`);
  const git = gitIn(dest, env);
  const [branch, parent] = [await git(["symbolic-ref", "HEAD"]), await git(["log", "-1", "--format=%H %ct"])];
  const [parentId, parentDate] = parent.split(" ");
  const commits = datedCommits(planned, (index) =>
    date ? Math.floor(date.getTime() / 1000) : Number(parentDate) + (index + 1) * BETWEEN_COMMITS,
  );
  return await commitAll(git, { source: path.join(here, name, "files", step), dest, commits, branch, parentId });
}

/** Adds what `lifecycle.yaml` of the agent says to the kai.yaml in `dest`: how it is run, and what its state is, which git ignores. */
export async function addLifecycle(name, dest) {
  const { parse, parseDocument } = await import("yaml");
  const file = path.join(dest, "kai.yaml");
  const config = parseDocument(readFileSync(file, "utf8"));
  const { version_management, lifecycle } = parse(readFileSync(path.join(here, name, "lifecycle.yaml"), "utf8"));
  const { state } = version_management.artifacts;
  config.setIn(["version_management", "artifacts", "state"], config.createNode(state));
  config.setIn(["lifecycle"], config.createNode(lifecycle));
  writeFileSync(file, config.toString({ lineWidth: 0 }));
  const ignored = readFileSync(path.join(dest, ".gitignore"), "utf8");
  const missing = state.include.filter(
    (each) => !ignored.split("\n").includes(each) && !ignored.includes(`/${each}\n`),
  );
  writeFileSync(path.join(dest, ".gitignore"), ignored + missing.map((each) => `${each}\n`).join(""));
}

function historyOf(name) {
  const file = path.join(here, name, "history.json");
  if (!existsSync(file)) throw new Error(`there is no agent ${name}`);
  return JSON.parse(readFileSync(file, "utf8"));
}

const datedCommits = (commits, dateOf) => commits.map((commit, index) => ({ ...commit, date: dateOf(index) }));

// One fast-import, because a process for every commit would make each test that needs an agent slow.
async function commitAll(git, { source, dest, commits, branch, parentId }) {
  const stream = commits.map((commit, index) =>
    formatCommit(commit, source, branch, index === 0 ? parentId : undefined),
  );
  await git(["fast-import", "--quiet", "--done"], [...stream, "done\n"].join(""));
  for (const each of commits.flatMap(({ paths }) => paths)) {
    cpSync(path.join(source, each), path.join(dest, each), { recursive: true });
  }
  await git(["reset", "-q"]);
  return await git(["rev-parse", "HEAD"]);
}

/** A commit in the form that git-fast-import(1) reads. */
function formatCommit({ message, paths, date }, source, branch, parentId) {
  const lines = [`commit ${branch}`, `committer ${IDENTITY} ${date} +0000`, formatData(message)];
  if (parentId) lines.push(`from ${parentId}`);
  for (const each of paths.flatMap((part) => filesAt(source, part))) {
    const file = path.join(source, each);
    const mode = statSync(file).mode & 0o100 ? "100755" : "100644";
    lines.push(`M ${mode} inline ${each}`, formatData(readFileSync(file, "utf8")));
  }
  return `${lines.join("\n")}\n`;
}

const formatData = (text) => `data ${Buffer.byteLength(text)}\n${text}`;

function filesAt(root, part) {
  if (statSync(path.join(root, part)).isFile()) return [part];
  return readdirSync(path.join(root, part)).flatMap((name) => filesAt(root, path.posix.join(part, name)));
}

/** git without the user's configuration, and without a repository that the caller may stand in. */
function gitIn(dest, env) {
  const clean = Object.fromEntries(
    Object.entries(env).filter(([key]) => !key.startsWith("GIT_") || key === "GIT_DEFAULT_HASH"),
  );
  const own = { ...clean, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  return async (args, input = "") => {
    const running = run("git", args, { cwd: dest, env: own });
    // A git that does not read its input to the end is judged by its exit status, not by EPIPE.
    running.child.stdin.on("error", () => {});
    running.child.stdin.end(input);
    return (await running).stdout.trim();
  };
}
