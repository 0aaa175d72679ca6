// Brings a fresh clone to where the demo and the tests can run: libraries, the built program, Debian packages. It uses
// Node alone, because node_modules may not be there yet, and asks nothing. What is there already is left as it is.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { installPackages, missingPackages } from "./bootstrap-packages.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const OLDEST_NODE = [20, 19];
const EXIT_MISSING = 3;

/**
 * Prepares for `purpose`, `demo` or `test`; ends the process where that cannot be done: status 3 when something is
 * missing that somebody else must install, 1 when npm or the build fails.
 */
export function bootstrap(purpose) {
  requireNode(process.versions.node);
  requirePackages(purpose);
  if (!librariesAreFresh()) installLibraries();
  // The tests build for themselves.
  if (purpose === "demo" && !programIsFresh()) buildProgram();
}

function requireNode(version) {
  const [major, minor] = version.split(".").map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  stop(EXIT_MISSING, `Node ${OLDEST_NODE.join(".")} or newer is needed; this is ${version}.`);
}

function requirePackages(purpose) {
  const missing = missingPackages(purpose);
  if (missing.length === 0) return;
  const failure = installPackages(missing, say);
  if (failure) stop(EXIT_MISSING, `${failure.reason}:\n\n  ${failure.command}\n`);
  const still = missingPackages(purpose);
  if (still.length > 0) stop(EXIT_MISSING, `Still missing after the installation: ${still.join(", ")}`);
}

const lockFile = path.join(root, "package-lock.json");
const libraryStamp = path.join(root, "node_modules", ".bootstrap-stamp");
// npm writes this as the last thing of an installation, so it is missing after an interrupted one.
const installedLock = path.join(root, "node_modules", ".package-lock.json");

function librariesAreFresh() {
  if (!existsSync(installedLock)) return false;
  if (existsSync(libraryStamp) && readFileSync(libraryStamp, "utf8") === digestOf([lockFile])) return true;
  return statSync(installedLock).mtimeMs >= statSync(lockFile).mtimeMs;
}

function installLibraries() {
  say("Installing the libraries (npm ci)");
  // The cache of the user's home is left alone.
  const env = {
    ...process.env,
    npm_config_cache: path.join(root, ".cache", "npm"),
    npm_config_update_notifier: "false",
  };
  const args = ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ["npm"];
  runOrStop(npm, args, env, "npm ci failed.");
  writeFileSync(libraryStamp, digestOf([lockFile]));
}

const program = path.join(root, "dist", "cli", "git-kai-version.cjs");
const programStamp = path.join(root, ".cache", "built-from");

function programIsFresh() {
  if (!existsSync(program) || !existsSync(programStamp)) return false;
  return readFileSync(programStamp, "utf8") === programState();
}

function buildProgram() {
  say("Building the program");
  runOrStop([process.execPath], [path.join(root, "scripts", "build.mjs")], process.env, "The build failed.");
  mkdirSync(path.dirname(programStamp), { recursive: true });
  writeFileSync(programStamp, programState());
}

/** What the program was built from, and which build it is: the tests build into the same folder. */
function programState() {
  const sources = ["scripts/build.mjs", "package.json", "package-lock.json", ...filesUnder("src")];
  return `${digestOf(sources.map((file) => path.join(root, file)))} ${statSync(program).mtimeMs}`;
}

function filesUnder(folder) {
  return readdirSync(path.join(root, folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const file = path.join(folder, entry.name);
      return entry.isDirectory() ? filesUnder(file) : [file];
    });
}

function digestOf(files) {
  const hash = createHash("sha256");
  for (const file of files)
    hash
      .update(`${path.relative(root, file)}\0`)
      .update(readFileSync(file))
      .update("\0");
  return hash.digest("hex");
}

function runOrStop([file, ...before], args, env, message) {
  const { status, error } = spawnSync(file, [...before, ...args], {
    cwd: root,
    env,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) stop(1, error ? `${message} ${error.message}` : message);
}

function say(text) {
  process.stderr.write(`${text} ...\n`);
}

function stop(status, message) {
  process.stderr.write(`${message}\n`);
  process.exit(status);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) bootstrap(process.argv[2] ?? "test");
