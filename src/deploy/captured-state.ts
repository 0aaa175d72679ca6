import { KaiError } from "../error.js";
import { parseCapture } from "../state/capture-manifest.js";
import { type PlainRepository, sha256 } from "./plain-repository.js";
import type { SignedVersion } from "./version-in-force.js";

export interface LoadedStateFile {
  /** As in the working tree; percent-encoded where it is not UTF-8. */
  readonly path: string;
  readonly mode: "100644" | "100755";
  /** Bytes. */
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** The captured bytes, verified again. */
  read(): Promise<Buffer>;
}

export interface LoadedState {
  readonly files: readonly LoadedStateFile[];
}

/**
 * The runtime state that was captured with a version, every file verified against the digest in the version's signed tag;
 * null where the tag names none. E102 where it is missing or differs.
 */
export async function readCapturedState(
  repository: PlainRepository,
  version: SignedVersion,
): Promise<LoadedState | null> {
  if (version.state === null) return null;
  const ref = `refs/kai/state/${version.tag}`;
  const commit = await repository.findRef(ref);
  if (commit === undefined) throw notAsCaptured(version, [ref], "it is not in this clone");
  const root = await repository.readTree(await repository.treeOf(commit));
  const entry = (wanted: string) => root.find(({ name }) => name.toString() === wanted)?.id;
  const [description, folder] = [entry("capture.json"), entry("files")];
  const manifest =
    description === undefined ? undefined : parseCapture(await repository.read(description, "blob"), version.state);
  if (manifest === undefined) throw notAsCaptured(version, [ref], "its list of files is not the one that was signed");
  const blobs = new Map(
    folder === undefined ? [] : (await repository.readTree(folder)).map(({ name, id }) => [name.toString(), id]),
  );

  const files: LoadedStateFile[] = [];
  const wrong: string[] = [];
  for (const [index, { path, mode, size, sha256: digest }] of manifest.files.entries()) {
    const id = blobs.get(String(index));
    const read = async () => {
      const content = id === undefined ? undefined : await repository.read(id, "blob");
      if (content !== undefined && content.length === size && sha256(content) === digest) return content;
      throw notAsCaptured(version, [path], "a file is not the one that was captured");
    };
    files.push({ path, mode, size, sha256: digest, read });
    await read().catch((cause: unknown) => {
      if (!(cause instanceof KaiError)) throw cause;
      wrong.push(path);
    });
  }
  if (wrong.length > 0) throw notAsCaptured(version, wrong, "files are not those that were captured");
  return { files };
}

function notAsCaptured(version: SignedVersion, paths: readonly string[], why: string): KaiError {
  return new KaiError("E102", `The captured state of ${version.tag} cannot be used: ${why} (${paths.join(", ")}).`, {
    hint: `Fetch it again: \`git fetch <remote> +refs/kai/state/${version.tag}:refs/kai/state/${version.tag}\``,
    data: { paths },
  });
}
