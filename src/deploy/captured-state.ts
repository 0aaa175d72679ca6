import { readFile } from "node:fs/promises";
import { KaiError } from "../error.js";
import { LOG_REF } from "../operation/entry.js";
import { type CapturedFile, parseCapture, storedBytesOf } from "../state/capture-manifest.js";
import { howToBring } from "../state/how-to-bring.js";
import { isStoredWhole, storedFile } from "../state/state-store.js";
import { type PlainRepository, sha256 } from "./plain-repository.js";
import { readEntry } from "./trusted-head.js";
import type { SignedVersion } from "./version-in-force.js";

export interface LoadedStateFile {
  /** As in the working tree; percent-encoded where it is not UTF-8. */
  readonly path: string;
  readonly mode: "100644" | "100755";
  /** Bytes. */
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** There where what is kept of it, and read here, is the OpenPGP message that it was encrypted to. */
  readonly encrypted?: true;
  /** The bytes that are kept, verified again. */
  read(): Promise<Buffer>;
}

export interface LoadedState {
  readonly files: readonly LoadedStateFile[];
}

/**
 * The runtime state that was captured with a version, every file verified against the digest in the version's signed tag;
 * null where the tag names none, or where the log says that it was forgotten. E102 where it is missing or differs.
 */
export async function readCapturedState(
  repository: PlainRepository,
  version: SignedVersion,
): Promise<LoadedState | null> {
  if (version.state === null) return null;
  const ref = `refs/kai/state/${version.tag}`;
  const commit = await repository.findRef(ref);
  if (commit === undefined) {
    if (await wasForgotten(repository, ref)) return null;
    throw notAsCaptured(version, [ref], "it is not in this clone");
  }
  const root = await repository.readTree(await repository.treeOf(commit));
  const entry = (wanted: string) => root.find(({ name }) => name.toString() === wanted)?.id;
  const [description, folder] = [entry("capture.json"), entry("files")];
  const manifest =
    description === undefined ? undefined : parseCapture(await repository.read(description, "blob"), version.state);
  if (manifest === undefined) throw notAsCaptured(version, [ref], "its list of files is not the one that was signed");
  const blobs = new Map(
    folder === undefined ? [] : (await repository.readTree(folder)).map(({ name, id }) => [name.toString(), id]),
  );

  const content = (number: number, file: CapturedFile) =>
    file.stored === "kai" ? readStored(repository, file) : readBlob(repository, blobs.get(String(number)));
  const files: LoadedStateFile[] = [];
  const wrong: CapturedFile[] = [];
  for (const [number, file] of manifest.files.entries()) {
    const { path, mode, size, sha256: digest, encrypted } = file;
    const kept = storedBytesOf(file);
    const read = async () => {
      const bytes = await content(number, file);
      if (bytes !== undefined && bytes.length === kept.size && sha256(bytes) === kept.sha256) return bytes;
      throw notAsCaptured(version, [path], "a file is not the one that was captured");
    };
    files.push({ path, mode, size, sha256: digest, ...(encrypted && { encrypted: true }), read });
    if (!(await isWhole(repository, file, read))) wrong.push(file);
  }
  if (wrong.length > 0) {
    const large = wrong.flatMap((file) => (file.stored === "kai" ? [storedBytesOf(file).sha256] : []));
    const paths = wrong.map(({ path }) => path);
    throw notAsCaptured(version, paths, "files are missing here, or not those that were captured", large);
  }
  return { files };
}

/** The last that the log, whose head is proven, says of the ref. */
async function wasForgotten(repository: PlainRepository, ref: string): Promise<boolean> {
  for (let id = await repository.findRef(LOG_REF); id !== undefined; ) {
    const { commit, entry } = await readEntry(repository, id);
    const change = entry.changes.findLast((each) => each.ref === ref);
    if (change) return change.new === null;
    id = commit.parents[0];
  }
  return false;
}

const readBlob = (repository: PlainRepository, id: string | undefined): Promise<Buffer | undefined> =>
  id === undefined ? Promise.resolve(undefined) : repository.read(id, "blob");

const readStored = (repository: PlainRepository, file: CapturedFile): Promise<Buffer | undefined> =>
  readFile(storedFile({ commonDir: repository.gitDir }, storedBytesOf(file).sha256)).catch(() => undefined);

/** A large one is not held whole to find out. */
async function isWhole(repository: PlainRepository, file: CapturedFile, read: () => Promise<Buffer>): Promise<boolean> {
  if (file.stored === "kai") return isStoredWhole({ commonDir: repository.gitDir }, storedBytesOf(file));
  return read().then(
    () => true,
    (cause: unknown) => {
      if (cause instanceof KaiError) return false;
      throw cause;
    },
  );
}

function notAsCaptured(
  { tag }: SignedVersion,
  paths: readonly string[],
  why: string,
  large: readonly string[] = [],
): KaiError {
  return new KaiError("E102", `The captured state of ${tag} cannot be used: ${why} (${paths.join(", ")}).`, {
    hint: howToBring(`refs/kai/state/${tag}`, large),
    data: { paths },
  });
}
