import { constants } from "node:fs";
import { chmod, copyFile, mkdir, open, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import type { Repository } from "../git/repository.js";
import { writeTree } from "../git/write-tree.js";
import { SEAL_FILE } from "../state/find-state-files.js";
import { syncFolder } from "../system/durable-file.js";
import { inParallel } from "../system/in-parallel.js";
import { distinctPath, findStat, latin1Path, pathBelow } from "../system/path-bytes.js";
import type { KnownVersion } from "../version/history.js";
import type { ManifestLine } from "../version/manifest.js";
import { notePlaced } from "../version/placed-folder.js";
import { formatRecord, type VersionRecord } from "../version/record.js";
import type { DeployedState } from "./deployed-state.js";
import {
  checkDeployment,
  type Deployment,
  describeEntry,
  expectedFiles,
  listFolder,
  readDeployment,
  topNames,
} from "./deployment.js";
import { ownFiles } from "./deployment-layout.js";
import { type PlacedFile, placeState } from "./placed-state.js";
import { formatSeal, openSeal, type Seal } from "./seal.js";
import { formatSnapshotMeta } from "./snapshot-meta.js";

/** What goes into a version's folder. */
export interface DeploymentContent {
  readonly repository: Repository;
  /** Whose folder it is until the log tells of it. */
  readonly operation: string;
  readonly version: KnownVersion;
  readonly record: VersionRecord;
  readonly lines: readonly ManifestLine[];
  readonly state: DeployedState | null;
  /** Installs what the agent depends on, in the folder; null where nothing is. */
  readonly install: ((folder: string) => Promise<void>) | null;
}

/**
 * Writes a version's folder in `part`, a folder that the caller removes, makes it last, and renames it to `folder`: it is
 * there whole, or not at all. E125 where the version has files under names that we need, E126 where what was installed
 * changed the version's own files.
 */
export async function writeDeployment(
  content: DeploymentContent,
  part: string,
  folder: string,
  inherit: readonly number[],
): Promise<Deployment> {
  const { repository, operation, version, record, lines, state, install } = content;
  const placed = placeState(state?.files ?? [], lines);
  const own = namesFor(content, placed);
  const files = path.join(part, "files");
  await mkdir(files);
  await chmod(files, 0o755);
  await writeTree(repository, `${version.commit}^{tree}`, files, part, inherit);
  await copyState(content, placed, files, part);
  await install?.(files);
  const installed = install === null ? [] : listInstalled(content, placed, files);
  const manifest = Buffer.from(JSON.stringify({ entities: [], files: lines, format: "kai-manifest/1" }));
  const seal: Seal = {
    format: "kai-deployment/1",
    tag: version.latin1 ?? "",
    record: formatRecord(record),
    state: state?.manifest ?? null,
    installed,
  };
  const sealed = Buffer.from(formatSeal(seal));
  await writeFile(path.join(files, own.meta), formatSnapshotMeta(record), { flag: "wx" });
  await writeFile(path.join(files, own.manifest), manifest, { flag: "wx" });
  await writeFile(path.join(files, SEAL_FILE), sealed, { flag: "wx" });
  const expected = expectedFiles(openSeal(sealed, folder), lines, sealed, manifest);
  requireWritten(files, expected, install !== null);
  await settleFiles(files, expected.files);
  await notePlaced(repository, { operation, folder, whole: files });
  await rename(files, folder);
  await closeFolders(folder);
  await syncFolder(path.dirname(folder));
  return readDeployment(folder);
}

function namesFor({ version, lines }: DeploymentContent, placed: readonly PlacedFile[]) {
  const names = topNames([...lines.map(([name]) => name), ...placed.map((file) => file.path)]);
  const own = ownFiles(names);
  const taken = [own.meta, own.manifest, SEAL_FILE].find((name) => names.has(name));
  if (taken === undefined) return own;
  throw new KaiError("E125", `${version.tag} has a file of its own named ${taken}, which a deployment needs.`, {
    hint: "Make a version in which that file has another name.",
  });
}

/** Copies what was captured to where it is to lie. E125 where the version's tree leaves no place for it. */
async function copyState(
  { version, state }: DeploymentContent,
  placed: readonly PlacedFile[],
  folder: string,
  scratch: string,
): Promise<void> {
  for (const { index, path: name } of placed) {
    const latin1 = latin1Path(name);
    const parents = latin1.split("/").slice(0, -1);
    for (let depth = 1; depth <= parents.length; depth++) {
      const above = pathBelow(folder, parents.slice(0, depth).join("/"));
      const stat = await findStat(above);
      if (stat === undefined) await mkdir(above);
      else if (!stat.isDirectory()) throw noPlace(name, version);
    }
    const target = pathBelow(folder, latin1);
    if (await findStat(target)) throw noPlace(name, version);
    await state?.copy(index, target, scratch);
  }
}

const noPlace = (name: string, version: KnownVersion): KaiError =>
  new KaiError("E125", `The captured ${name} has no place beside the files and links of ${version.tag}.`, {
    hint: "Name another place for the state in artifacts.state.include, and make a version.",
  });

/** What is there beside the version's files and its state: regular files and links. */
function listInstalled({ lines }: DeploymentContent, placed: readonly PlacedFile[], folder: string): ManifestLine[] {
  const known = new Set([...lines.map(([name]) => name), ...placed.map((file) => file.path)]);
  const installed: ManifestLine[] = [];
  for (const [latin1, kind] of listFolder(folder)) {
    const name = distinctPath(latin1);
    if (kind === "folder" || known.has(name)) continue;
    const entry = describeEntry(folder, latin1, kind);
    if (entry === undefined) {
      throw new KaiError("E126", `\`lifecycle.install\` left something that is no file or link: ${name}`, {
        hint: "It may leave files, folders and symbolic links.",
      });
    }
    installed.push([name, entry.mode, entry.sha256]);
  }
  return installed.sort(([a], [b]) => (a < b ? -1 : 1));
}

function requireWritten(folder: string, { files }: Pick<Deployment, "files">, installed: boolean): void {
  const problems = checkDeployment({ folder, files });
  if (problems.length === 0) return;
  const shown = problems.slice(0, 5).map(({ path: name, problem }) => `${name} (${problem})`);
  const paths = problems.map(({ path: name }) => name);
  throw installed
    ? new KaiError("E126", `\`lifecycle.install\` changed files of the version: ${shown.join(", ")}.`, {
        hint: "It may only add files: have it write elsewhere.",
        data: { paths },
      })
    : new KaiError("E118", `The deployment could not be written as it should be: ${shown.join(", ")}.`, {
        hint: "Is the file system one that knows links, executable bits and upper and lower case?",
        data: { paths },
      });
}

/** Gives every file its mode and makes it last. */
async function settleFiles(folder: string, files: Deployment["files"]): Promise<void> {
  await inParallel([...files], async ([name, { mode }]) => {
    if (mode === "120000") return;
    const place = pathBelow(folder, name);
    // A package manager may have linked it from its cache, whose file is not ours to change.
    if (((await findStat(place))?.nlink ?? 1n) > 1n) {
      const copy = pathBelow(folder, `${name}.kai-copy`);
      await copyFile(place, copy, constants.COPYFILE_EXCL);
      await rename(copy, place);
    }
    const handle = await open(place, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      await handle.chmod(mode === "100755" ? 0o555 : 0o444);
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
  for (const name of listFolders(folder)) await syncFolder(pathBelow(folder, name));
}

/**
 * Makes a deployment's folders read-only. Only where it is in place: nobody but root can remove what is in a folder that is
 * read-only, and one that was cut short has to be removed.
 */
export async function closeFolders(folder: string): Promise<void> {
  for (const name of listFolders(folder)) await chmod(pathBelow(folder, name), 0o555);
}

/** A folder's folders by path (latin1), itself last. */
function listFolders(folder: string): string[] {
  const found = [...listFolder(folder)].filter(([, kind]) => kind === "folder").map(([name]) => name);
  return [...found, "."];
}
