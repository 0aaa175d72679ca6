/** What `NPM_INSTALLED` is called among the files of a build. */
export const NPM_INSTALLED_NAME = "installed.cjs";

/**
 * A program for the image's own Node, in the folder of the lock file: fails where npm left out an optional package that is for this
 * machine, as it does without a word where it could not fetch it. npm is in `argv`, and what it is told to omit. Wanted is what
 * something that is installed names, unless that, or what it cannot be without, does not fit by npm's own rules; where those
 * are not to be had nothing is said.
 */
export const NPM_INSTALLED = `
const { existsSync, lstatSync, readFileSync, realpathSync } = require("node:fs");
const { createRequire } = require("node:module");
const [npm, omitted = ""] = process.argv.slice(2);
let rules;
let version;
try {
  const from = createRequire(realpathSync(npm));
  rules = from("npm-install-checks");
  ({ version } = from("../package.json"));
} catch {
  process.exit(0);
}
if (omitted.includes("optional")) process.exit(0);
const lock = ["npm-shrinkwrap.json", "package-lock.json"].find((name) => existsSync(name));
const packages = JSON.parse(readFileSync(lock, "utf8")).packages ?? {};
const isThere = (at) => at === "" || lstatSync(at, { throwIfNoEntry: false }) !== undefined;
const find = (at, name) => {
  const key = (at === "" ? "" : at + "/") + "node_modules/" + name;
  if (key in packages) return key;
  return at === "" ? undefined : find(at.slice(0, Math.max(0, at.lastIndexOf("node_modules/") - 1)), name);
};
const fits = (at) => {
  try {
    rules.checkPlatform(packages[at]);
    rules.checkEngine(packages[at], version, process.version);
    return true;
  } catch {
    return false;
  }
};
const named = (at, ...kinds) => kinds.flatMap((kind) => Object.keys(packages[at][kind] ?? {}));
const canBe = (at, seen = new Set()) => {
  if (seen.has(at)) return true;
  seen.add(at);
  const optional = new Set(named(at, "optionalDependencies"));
  const needed = named(at, "dependencies").filter((name) => !optional.has(name));
  return fits(at) && needed.map((name) => find(at, name)).every((each) => each === undefined || canBe(each, seen));
};
const missing = Object.keys(packages)
  .filter(isThere)
  .flatMap((at) => named(at, "dependencies", "optionalDependencies").map((name) => find(at, name)))
  .filter((at) => at !== undefined && !isThere(at) && canBe(at));
if (missing.length > 0) {
  console.error("npm left out " + [...new Set(missing)].join(", ") + ": it could not be fetched");
  process.exit(1);
}
`.trimStart();
