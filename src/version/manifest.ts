import { createHash } from "node:crypto";
import { distinctPath } from "../system/path-bytes.js";

/** One file of a version's tree. The path is its bytes as latin1 text. */
export interface TreeFile {
  readonly path: string;
  /** `100644`, `100755`, `120000` or `160000`. */
  readonly mode: string;
  /** Object id of the blob, or of the submodule's commit. */
  readonly id: string;
}

export type ManifestLine = readonly [path: string, mode: string, digest: string];

/**
 * The manifest's lines: every file by the bytes of its path, with the SHA-256 of its raw content; a submodule with its
 * commit's id.
 */
export function manifestLines(files: readonly TreeFile[], digests: ReadonlyMap<string, string>): ManifestLine[] {
  return [...files]
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
    .map((file) => [
      distinctPath(file.path),
      file.mode,
      file.mode === "160000" ? file.id : (digests.get(file.id) ?? ""),
    ]);
}

/** The lines of a manifest's bytes; undefined where they are none. */
export function parseManifest(bytes: Buffer): ManifestLine[] | undefined {
  try {
    const { format, files } = JSON.parse(bytes.toString()) as { format: unknown; files: unknown };
    return format === "kai-manifest/1" && isLines(files) ? files : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a value that was parsed is lines of a manifest. */
export const isLines = (value: unknown): value is ManifestLine[] =>
  Array.isArray(value) &&
  value.every((line) => Array.isArray(line) && line.length === 3 && line.every((part) => typeof part === "string"));

/** The version hash: SHA-256 of the canonical JSON of `kai-manifest/1`. */
export function versionHash(lines: readonly ManifestLine[]): string {
  const text = canonicalLines({ entities: [], files: lines, format: "kai-manifest/1" });
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

/** Digest of a part of the manifest, such as one component's files. */
export const partDigest = (lines: readonly ManifestLine[]): string =>
  `sha256:${createHash("sha256").update(canonicalLines(lines)).digest("hex")}`;

/**
 * Canonical JSON (RFC 8785) of what holds nothing but strings, lists and keys in order: there it is what JavaScript itself
 * writes, twenty times as fast as the library.
 */
const canonicalLines = (
  value: readonly ManifestLine[] | { entities: []; files: readonly ManifestLine[]; format: string },
) => JSON.stringify(value);
