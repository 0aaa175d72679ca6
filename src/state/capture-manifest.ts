import { createHash } from "node:crypto";
import { canonicalJson, parseCanonicalJson } from "../operation/canonical-json.js";

export interface CapturedFile {
  /** As in the version's manifest: text, or percent-encoded behind a `/` where it is not UTF-8. */
  readonly path: string;
  readonly mode: "100644" | "100755";
  /** SHA-256 of the captured bytes, hexadecimal. */
  readonly sha256: string;
  readonly size: number;
  /** `sqlite`: captured through SQLite's own backup. */
  readonly kind: "file" | "sqlite";
  /** `kai`: too large for git's objects, and kept by its digest in the clone's own store. */
  readonly stored?: "kai";
  /** Of the OpenPGP message that holds it; absent where it is kept as it is. */
  readonly encrypted?: StoredBytes;
}

/** Digest and size of what is kept of a file. */
export interface StoredBytes {
  readonly sha256: string;
  readonly size: number;
}

export interface CaptureManifest {
  readonly format: "kai-capture/1";
  readonly files: readonly CapturedFile[];
  /** Whether all files are of one moment; absent in captures of old. */
  readonly consistent?: boolean;
}

/** What is kept of a file: the file itself, or the message that it was encrypted to. */
export const storedBytesOf = ({ encrypted, sha256, size }: CapturedFile): StoredBytes => encrypted ?? { sha256, size };

/** What a version's tag holds in `Kai-State`: SHA-256 of the manifest's canonical JSON. */
export const captureDigest = (manifest: CaptureManifest): string =>
  `sha256:${createHash("sha256").update(canonicalJson(manifest)).digest("hex")}`;

/**
 * The manifest in the bytes of `capture.json`; undefined where they are none, or not the one with this digest. Null for a digest:
 * nobody signed for it.
 */
export function parseCapture(bytes: Buffer, digest: string | null): CaptureManifest | undefined {
  const value = parseCanonicalJson(bytes.toString().replace(/\n$/, ""))?.value;
  return isCapture(value) && (digest === null || captureDigest(value) === digest) ? value : undefined;
}

function isCapture(value: unknown): value is CaptureManifest {
  const { format, files, consistent } = (value ?? {}) as Partial<Record<keyof CaptureManifest, unknown>>;
  return (
    format === "kai-capture/1" &&
    Array.isArray(files) &&
    files.every(isCapturedFile) &&
    ["boolean", "undefined"].includes(typeof consistent)
  );
}

function isCapturedFile(value: unknown): boolean {
  const file = (value ?? {}) as Partial<Record<keyof CapturedFile, unknown>>;
  return (
    typeof file.path === "string" &&
    (file.mode === "100644" || file.mode === "100755") &&
    isStoredBytes(file) &&
    (file.kind === "file" || file.kind === "sqlite") &&
    (file.stored === undefined || file.stored === "kai") &&
    (file.encrypted === undefined || isStoredBytes(file.encrypted))
  );
}

function isStoredBytes(value: unknown): boolean {
  const { sha256, size } = (value ?? {}) as Partial<Record<keyof StoredBytes, unknown>>;
  return typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256) && Number.isSafeInteger(size);
}
