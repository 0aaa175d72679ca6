import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  type Stats,
} from "node:fs";
import path from "node:path";
import { SEAL_FILE } from "../state/find-state-files.js";
import { latin1Path, pathBelow, readablePath } from "../system/path-bytes.js";
import { type ManifestLine, parseManifest } from "../version/manifest.js";
import type { FileProblem } from "./check-working-files.js";
import { ownFiles } from "./deployment-layout.js";
import { type PlacedFile, placeState } from "./placed-state.js";
import { sha256 } from "./plain-repository.js";
import { brokenSeal, type OpenedSeal, openSeal } from "./seal.js";
import { formatSnapshotMeta } from "./snapshot-meta.js";

/** What a file of a deployment must be. */
export interface ExpectedFile {
  readonly mode: "100644" | "100755" | "120000";
  /** SHA-256 (hexadecimal) of its bytes, or of what a link says. */
  readonly sha256: string;
}

/** A version's folder, and all that must be in it, by path (latin1). */
export interface Deployment {
  readonly folder: string;
  readonly seal: OpenedSeal;
  /** SHA-256 (hexadecimal) of the seal's bytes. */
  readonly digest: string;
  readonly files: ReadonlyMap<string, ExpectedFile>;
  readonly submodules: readonly string[];
  /** What was captured with the version, where it lies. */
  readonly state: readonly PlacedFile[];
}

/** Reads what a folder must hold: by its seal, and by the manifest that has the seal's version hash. E102 where that is not whole. */
export function readDeployment(folder: string): Deployment {
  const bytes = readOwnFile(folder, SEAL_FILE);
  if (bytes === undefined) throw brokenSeal(folder, `${SEAL_FILE} is missing`);
  const seal = openSeal(bytes, folder);
  for (const name of [".kai-manifest.json", "manifest.json"]) {
    const manifest = readOwnFile(folder, name);
    if (manifest === undefined || `sha256:${sha256(manifest)}` !== seal.hash) continue;
    const files = parseManifest(manifest);
    if (files === undefined) throw brokenSeal(folder, "its manifest is none");
    return { folder, seal, digest: sha256(bytes), ...expectedFiles(seal, files, bytes, manifest) };
  }
  throw brokenSeal(folder, "its manifest is missing or is not the one that was signed");
}

/** The seal of a folder; undefined where there is none that is whole. */
export function findSeal(folder: string): OpenedSeal | undefined {
  try {
    const bytes = readOwnFile(folder, SEAL_FILE);
    return bytes && openSeal(bytes, folder);
  } catch {
    return undefined;
  }
}

/** All that belongs into the folder: the version's files, those captured, those installed, and our own. */
export function expectedFiles(
  seal: OpenedSeal,
  lines: readonly ManifestLine[],
  sealBytes: Buffer,
  manifest: Buffer,
): Pick<Deployment, "files" | "submodules" | "state"> {
  const files = new Map<string, ExpectedFile>();
  const submodules: string[] = [];
  for (const [name, mode, digest] of seal.installed)
    files.set(latin1Path(name), { mode: modeOf(mode), sha256: digest });
  const state = placeState(seal.state?.files ?? [], lines);
  for (const { path: name, mode, sha256: digest } of state) files.set(latin1Path(name), { mode, sha256: digest });
  // Last, so that nothing else is taken for a file of the version.
  for (const [name, mode, digest] of lines) {
    if (mode === "160000") submodules.push(latin1Path(name));
    else files.set(latin1Path(name), { mode: modeOf(mode), sha256: digest });
  }
  const own = ownFiles(topNames([...lines.map(([name]) => name), ...state.map((file) => file.path)]));
  const ours = (bytes: Buffer | string): ExpectedFile => ({ mode: "100644", sha256: sha256(Buffer.from(bytes)) });
  files.set(own.meta, ours(formatSnapshotMeta(seal.record)));
  files.set(own.manifest, ours(manifest));
  files.set(SEAL_FILE, ours(sealBytes));
  return { files, submodules, state };
}

/** The files and folders at the top, of paths. */
export const topNames = (paths: readonly string[]): Set<string> =>
  new Set(paths.map((name) => name.split("/", 1)[0] ?? ""));

const modeOf = (mode: string): ExpectedFile["mode"] =>
  mode === "120000" ? "120000" : mode === "100755" ? "100755" : "100644";

const readOwnFile = (folder: string, name: string): Buffer | undefined =>
  withFile(path.join(folder, name), (file) => readFileSync(file));

/** Where a folder differs from what it must hold; every file is read, and no link followed. */
export function checkDeployment({ folder, files }: Pick<Deployment, "folder" | "files">): FileProblem[] {
  const found = listFolder(folder);
  const problems: FileProblem[] = [];
  for (const [name, kind] of found) {
    if (kind !== "folder" && !files.has(name)) problems.push({ path: readablePath(name), problem: "extra" });
  }
  for (const [name, expected] of files) {
    const problem = found.has(name) ? problemOf(folder, name, expected, found.get(name)) : "missing";
    if (problem) problems.push({ path: readablePath(name), problem });
  }
  return problems.sort((a, b) => (a.path < b.path ? -1 : 1));
}

export type FoundKind = "file" | "link" | "folder" | "other";

/** Everything below a folder, by path (latin1). */
export function listFolder(root: string): Map<string, FoundKind> {
  const found = new Map<string, FoundKind>();
  const queue = [""];
  for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
    for (const entry of readdirSync(pathBelow(root, folder), { withFileTypes: true, encoding: "buffer" })) {
      const name = folder + entry.name.toString("latin1");
      if (entry.isDirectory()) queue.push(`${name}/`);
      found.set(
        name,
        entry.isDirectory() ? "folder" : entry.isFile() ? "file" : entry.isSymbolicLink() ? "link" : "other",
      );
    }
  }
  return found;
}

function problemOf(
  folder: string,
  name: string,
  expected: ExpectedFile,
  kind: FoundKind | undefined,
): FileProblem["problem"] | undefined {
  if (kind !== (expected.mode === "120000" ? "link" : "file")) return "changed";
  const seen = describeEntry(folder, name, kind);
  if (seen?.sha256 !== expected.sha256) return "changed";
  return seen.mode === expected.mode ? undefined : "mode";
}

/** What a file or link is; undefined for anything else. */
export function describeEntry(folder: string, name: string, kind: FoundKind | undefined): ExpectedFile | undefined {
  const place = pathBelow(folder, name);
  if (kind === "link") return { mode: "120000", sha256: sha256(readlinkSync(place, { encoding: "buffer" })) };
  if (kind !== "file") return undefined;
  return withFile(place, (file, { mode, size }) => ({
    mode: mode & 0o100 ? "100755" : "100644",
    sha256: digestOf(file, size),
  }));
}

function digestOf(file: number, size: number): string {
  const hash = createHash("sha256");
  if (size <= CHUNK) return hash.update(readFileSync(file)).digest("hex");
  const chunk = Buffer.allocUnsafe(CHUNK);
  for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk)) hash.update(chunk.subarray(0, read));
  return hash.digest("hex");
}

/** Larger files are not held whole. */
const CHUNK = 4 * 1024 * 1024;

const NO_FILE = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"]);

/**
 * What `work` makes of a regular file; undefined where something else is there, or nothing. Synchronous: a small file that is in
 * memory takes microseconds, and the way through the thread pool twenty times as long.
 */
function withFile<T>(name: string | Buffer, work: (file: number, stat: Stats) => T): T | undefined {
  let file: number;
  try {
    file = openSync(name, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    if (!NO_FILE.has((cause as NodeJS.ErrnoException).code ?? "")) throw cause;
    return undefined;
  }
  try {
    const stat = fstatSync(file);
    return stat.isFile() ? work(file, stat) : undefined;
  } finally {
    closeSync(file);
  }
}
