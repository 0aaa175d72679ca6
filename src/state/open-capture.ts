import { KaiError } from "../error.js";
import { parseTree } from "../git/object.js";
import type { ObjectReader } from "../git/object-reader.js";
import { hexLength, type Repository } from "../git/repository.js";
import type { Decryption } from "../trust/decrypt.js";
import { type CapturedFile, type CaptureManifest, captureDigest, parseCapture } from "./capture-manifest.js";
import { howToBring } from "./how-to-bring.js";
import { findClash, parseStatePath } from "./state-path.js";

export interface OpenedFile {
  readonly captured: CapturedFile;
  /** Bytes as latin1 text. */
  readonly path: string;
  /** The blob that holds it; undefined where the capture's tree has none. */
  readonly blob: string | undefined;
}

/** A capture whose list of files was checked; their bytes are when they are read. */
export interface OpenedCapture {
  readonly ref: string;
  readonly digest: string;
  readonly manifest: CaptureManifest;
  readonly files: readonly OpenedFile[];
  readonly bytes: number;
  readonly reader: ObjectReader;
  /** Opens what is encrypted. */
  readonly decryption: Decryption | undefined;
}

export interface CaptureName {
  readonly ref: string;
  /** What the version's tag says of it; null for a backup, which nobody signed for. */
  readonly digest: string | null;
  /** Needed where `artifacts.state.encrypt` was set. */
  readonly decryption?: Decryption | undefined;
}

/** Opens a capture. E102 where it is not here or is another one. */
export async function openCapture(
  repository: Repository,
  reader: ObjectReader,
  { ref, digest, decryption }: CaptureName,
): Promise<OpenedCapture> {
  const root = await listEntries(repository, reader, `${ref}^{tree}`);
  if (root === undefined) throw unusable(ref, "it is not in this clone");
  const description = await reader.find(root.get("capture.json") ?? "");
  const manifest = description && parseCapture(description.content, digest);
  if (manifest === undefined) throw unusable(ref, "its list of files is not the one that was signed");
  const blobs = await listEntries(repository, reader, root.get("files") ?? "");
  const files = manifest.files.map((captured, number): OpenedFile => {
    const path = parseStatePath(captured.path);
    if (path === undefined) throw unusable(ref, `${captured.path} is no path of the working tree`);
    return { captured, path, blob: blobs?.get(String(number)) };
  });
  const clash = findClash(files.map(({ path }) => path));
  if (clash !== undefined) throw unusable(ref, "it has two files at one path");
  const bytes = files.reduce((sum, { captured }) => sum + captured.size, 0);
  return { ref, digest: captureDigest(manifest), manifest, files, bytes, reader, decryption };
}

async function listEntries(
  repository: Repository,
  reader: ObjectReader,
  tree: string,
): Promise<Map<string, string> | undefined> {
  const found = tree === "" ? undefined : await reader.find(tree);
  const entries = found?.type === "tree" ? parseTree(found.content, hexLength(repository.objectFormat) / 2) : undefined;
  return entries && new Map(entries.map(({ name, id }) => [name.toString("latin1"), id]));
}

/** E102: the captured state cannot be restored. `large`: digests of what is missing or damaged in the store of large files. */
export function unusable(
  ref: string,
  why: string,
  paths: readonly string[] = [ref],
  large: readonly string[] = [],
): KaiError {
  return new KaiError("E102", `The captured state ${ref} cannot be used: ${why}.`, {
    hint: howToBring(ref, large),
    data: { paths },
  });
}
