import path from "node:path";
import { isLockFile } from "../../change/dependencies.js";
import { KaiError } from "../../error.js";
import { NPM_INSTALLED, NPM_INSTALLED_NAME } from "./npm-installed.js";
import { type OwnContainerfile, readContainerfile } from "./own-containerfile.js";
import { pipfileRequirements } from "./pipfile-requirements.js";
import type { VersionFiles } from "./version-files.js";

/** What the image of a version is made of, and the files that the making sees. */
export type Recipe = { readonly files: ReadonlyMap<string, Buffer> } & (
  | { readonly kind: "python"; readonly requirements: readonly string[]; readonly complete: boolean }
  | { readonly kind: "node" }
  | ({ readonly kind: "own" } & OwnContainerfile)
);

export interface RecipeRequest {
  readonly files: VersionFiles;
  readonly runtime: "python" | "node" | "other";
  /** Whether a path is of the component environment. */
  isEnvironment(path: string): boolean;
}

const OWN_NAMES = ["Containerfile", "Dockerfile"];
/** What stands beside lock files and belongs to them. */
const MANIFESTS = ["package.json", "pyproject.toml", "Pipfile"];
const IGNORE_FILES = /(?:^|\/)\.(?:container|docker)ignore$/;
/** They are named in a command. */
const REQUIREMENTS = /^requirements[\w.-]*\.txt$/i;
const INCLUDE = /^(?:-r|-c|--requirement|--constraint)[\s=]*(\S+)/;

const MIB = 1024 * 1024;
const MOST_FILES = 500;
const MOST_BYTES = 64 * MIB;
/** Of a file that is read here, not only handed on. */
const LONGEST_TEXT = 2 * MIB;
const LONGEST_TOLD = 200;

/**
 * How the image of a version is made: by its own Containerfile, else by the lock file of its runtime at its top. Undefined where
 * there is neither: then it needs nothing but its base. E103 for what cannot be built, such as a link in the place of one of them.
 */
export async function findRecipe({ files, runtime, isEnvironment }: RecipeRequest): Promise<Recipe | undefined> {
  await requireNoLink(
    files,
    OWN_NAMES.filter((name) => isEnvironment(name)),
  );
  const own = OWN_NAMES.find((name) => files.names.includes(name) && isEnvironment(name));
  if (own !== undefined) {
    const seen = files.names.filter(
      (name) =>
        name !== own &&
        !IGNORE_FILES.test(name) &&
        (isEnvironment(name) || isLockFile(name) || MANIFESTS.includes(name)),
    );
    return { kind: "own", ...readContainerfile(await readText(files, own), own), files: await readAll(files, seen) };
  }
  if (runtime === "python") return pythonRecipe(files);
  if (runtime === "node") return nodeRecipe(files);
  return undefined;
}

async function pythonRecipe(files: VersionFiles): Promise<Recipe | undefined> {
  await requireNoLink(files, ["requirements.txt", "Pipfile.lock"]);
  const all = files.names.filter((name) => REQUIREMENTS.test(name));
  const requirements = all.includes("requirements.txt") ? ["requirements.txt"] : all;
  if (!all.includes("requirements.txt") && files.names.includes("Pipfile.lock")) {
    const text = pipfileRequirements(await readText(files, "Pipfile.lock"));
    const written = new Map([["requirements.txt", Buffer.from(text)]]);
    return { kind: "python", requirements: ["requirements.txt"], complete: true, files: written };
  }
  if (requirements.length === 0) return undefined;
  return { kind: "python", requirements, complete: false, files: await withIncluded(files, requirements) };
}

/** With what they name by `-r` and `-c`, as far as the version has it. */
async function withIncluded(files: VersionFiles, first: readonly string[]): Promise<Map<string, Buffer>> {
  const known = new Set(files.names);
  const found = new Set(first);
  let length = 0;
  for (const name of found) {
    const text = await readText(files, name);
    length += text.length;
    if (found.size > MOST_FILES || length > MOST_BYTES) throw tooMuch();
    for (const line of text.split(/[\r\n]+/)) {
      const target = INCLUDE.exec(line.trim())?.[1];
      const included = target && path.posix.join(path.posix.dirname(name), target);
      if (included && known.has(included)) found.add(included);
    }
  }
  return readAll(files, [...found].sort());
}

async function nodeRecipe(files: VersionFiles): Promise<Recipe | undefined> {
  await requireNoLink(files, ["npm-shrinkwrap.json", "package-lock.json", "package.json"]);
  const lock = ["npm-shrinkwrap.json", "package-lock.json"].find((name) => files.names.includes(name));
  if (lock === undefined || !files.names.includes("package.json")) return undefined;
  const found = await readAll(files, [lock, "package.json"]);
  return { kind: "node", files: found.set(NPM_INSTALLED_NAME, Buffer.from(NPM_INSTALLED)) };
}

/** What a link leads to may be anything; without what stands in its place the image would lack it, and nobody would be told. */
async function requireNoLink(files: VersionFiles, names: readonly string[]): Promise<void> {
  const found = names.find((name) => files.links.includes(name));
  if (found === undefined) return;
  const target = await files.target(found);
  const asIs = "`--image NAME` uses an image as it is.";
  throw new KaiError("E103", `The version's image cannot be built: ${found} is a link, and none is followed.`, {
    hint: isFileOf(files, target)
      ? `Put the file itself in its place and make a version of that: \`cp --remove-destination ${path.posix.normalize(target)} ${found}\`. ${asIs}`
      : `It leads to ${target.slice(0, LONGEST_TOLD)}; the version must hold the file itself. ${asIs}`,
  });
}

/** Whether what a link at the top says is a file of the version, and can be told in a command: what it leads to elsewhere is a stranger's choice. */
const isFileOf = ({ names }: VersionFiles, target: string): boolean =>
  /^[\w.][\w./-]*$/.test(target) && names.includes(path.posix.normalize(target));

async function readText(files: VersionFiles, name: string): Promise<string> {
  if ((await files.size(name)) <= LONGEST_TEXT) return (await files.read(name)).toString();
  throw new KaiError("E103", `The version's image cannot be built: ${name} is too long.`, {
    hint: `It may have up to ${LONGEST_TEXT / MIB} MiB. \`--image NAME\` uses an image as it is.`,
  });
}

/** Their bytes, which are looked at only where there are not too many. */
async function readAll(files: VersionFiles, names: readonly string[]): Promise<Map<string, Buffer>> {
  const sizes = await Promise.all(names.slice(0, MOST_FILES + 1).map((name) => files.size(name)));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  if (names.length > MOST_FILES || bytes > MOST_BYTES) throw tooMuch();
  const found = new Map<string, Buffer>();
  for (const name of names) found.set(name, await files.read(name));
  return found;
}

const tooMuch = (): KaiError =>
  new KaiError("E103", "The files that the version's image would be built from are too many or too large.", {
    hint:
      `An image is built from up to ${MOST_FILES} files and ${MOST_BYTES / MIB} MiB: let artifacts.environment in ` +
      "kai.yaml name what it needs; `--image NAME` uses an image as it is.",
  });
