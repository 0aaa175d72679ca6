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
}

export interface CaptureManifest {
  readonly format: "kai-capture/1";
  readonly files: readonly CapturedFile[];
}

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
  const { format, files } = (value ?? {}) as Partial<Record<keyof CaptureManifest, unknown>>;
  return format === "kai-capture/1" && Array.isArray(files) && files.every(isCapturedFile);
}

function isCapturedFile(value: unknown): boolean {
  const file = (value ?? {}) as Partial<Record<keyof CapturedFile, unknown>>;
  return (
    typeof file.path === "string" &&
    (file.mode === "100644" || file.mode === "100755") &&
    typeof file.sha256 === "string" &&
    Number.isSafeInteger(file.size) &&
    (file.kind === "file" || file.kind === "sqlite")
  );
}
