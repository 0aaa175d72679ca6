import { createHash } from "node:crypto";
import { canonicalJson } from "../operation/canonical-json.js";

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
