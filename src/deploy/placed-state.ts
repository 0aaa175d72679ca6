import { type CapturedFile, storedBytesOf } from "../state/capture-manifest.js";
import type { ManifestLine } from "../version/manifest.js";

/** A captured file as it lies in a deployment. */
export interface PlacedFile {
  readonly captured: CapturedFile;
  /** Its number in the capture. */
  readonly index: number;
  /** Where it lies, spelled as in the manifest. */
  readonly path: string;
  readonly mode: "100644" | "100755";
  /** Of the bytes that lie there, hexadecimal. */
  readonly sha256: string;
}

/** Stands behind the name of what is encrypted. */
const MESSAGE = ".pgp";

/**
 * What of a capture lies where among a version's files, whose names stay theirs. What is kept encrypted lies there as the
 * OpenPGP message that it is, beside where it was: for those that it was encrypted to, and not for everybody who may read here.
 */
export function placeState(files: readonly CapturedFile[], lines: readonly ManifestLine[]): PlacedFile[] {
  const tracked = new Set(lines.map(([name]) => name));
  const plain = new Set(files.flatMap(({ path, encrypted }) => (encrypted ? [] : [path])));
  return files.flatMap((captured, index): PlacedFile[] => {
    const { path, mode, encrypted } = captured;
    const { sha256 } = storedBytesOf(captured);
    if (!encrypted) return tracked.has(path) ? [] : [{ captured, index, path, mode, sha256 }];
    const message = path + MESSAGE;
    return tracked.has(message) || plain.has(message)
      ? []
      : [{ captured, index, path: message, mode: "100644", sha256 }];
  });
}
