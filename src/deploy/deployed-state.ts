import { writeFile } from "node:fs/promises";
import { KaiError } from "../error.js";
import type { ObjectReader } from "../git/object-reader.js";
import { type CapturedFile, parseCapture } from "../state/capture-manifest.js";
import type { KnownVersion } from "../version/history.js";
import { sha256 } from "./plain-repository.js";

/** What was captured with a version, for its deployment's folder. */
export interface DeployedState {
  /** `capture.json` without its line feed; the version's tag holds its digest. */
  readonly manifest: string;
  readonly files: readonly CapturedFile[];
  /** Writes the file at `index` to where nothing is. */
  copy(index: number, target: Buffer): Promise<void>;
}

/** The state captured with a version; null where none was. E102 where it is not here, or not what was signed. */
export async function readDeployedState(reader: ObjectReader, version: KnownVersion): Promise<DeployedState | null> {
  if (version.state === null) return null;
  const ref = `refs/kai/state/${version.tag}`;
  const described = await reader.find(`${ref}:capture.json`);
  const capture = described && parseCapture(described.content, version.state);
  if (!described || !capture) throw notAsCaptured(version, described ? "it is not what was signed" : "it is not here");
  return {
    manifest: described.content.toString().replace(/\n$/, ""),
    files: capture.files,
    async copy(index, target) {
      const file = capture.files[index];
      const content = (await reader.find(`${ref}:files/${index}`))?.content;
      if (content === undefined || sha256(content) !== file?.sha256) {
        throw notAsCaptured(version, `${file?.path} is missing or damaged`);
      }
      await writeFile(target, content, { flag: "wx", mode: file.mode === "100755" ? 0o755 : 0o644 });
    },
  };
}

const notAsCaptured = (version: KnownVersion, why: string): KaiError =>
  new KaiError("E102", `The state captured with ${version.tag} cannot be used: ${why}.`, {
    hint: `Fetch it again: \`git fetch <remote> +refs/kai/state/${version.tag}:refs/kai/state/${version.tag}\``,
  });
