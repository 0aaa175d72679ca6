import { rename } from "node:fs/promises";
import path from "node:path";
import type { ObjectReader } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import { canonicalJson } from "../operation/canonical-json.js";
import type { CapturedFile } from "../state/capture-manifest.js";
import { writeKept } from "../state/captured-content.js";
import { openCapture } from "../state/open-capture.js";
import type { History, KnownVersion } from "../version/history.js";

/** What was captured with a version, for its deployment's folder. */
export interface DeployedState {
  /** The capture's manifest; the version's tag holds its digest. */
  readonly manifest: string;
  readonly files: readonly CapturedFile[];
  /** Writes what is kept of the file at `index` to where nothing is, by way of the folder `scratch`. E102 where it is another. */
  copy(index: number, target: Buffer, scratch: string): Promise<void>;
}

/** The state captured with a version; null where none was, or where it was forgotten since. E102 where it is not here. */
export async function readDeployedState(
  repository: Repository,
  reader: ObjectReader,
  history: History,
  version: KnownVersion,
): Promise<DeployedState | null> {
  const ref = `refs/kai/state/${version.tag}`;
  if (version.state === null) return null;
  if (isForgotten(history, ref) && (await reader.find(ref)) === undefined) return null;
  const capture = await openCapture(repository, reader, { ref, digest: version.state });
  return {
    manifest: canonicalJson(capture.manifest),
    files: capture.manifest.files,
    async copy(index, target, scratch) {
      const file = capture.files[index];
      if (file === undefined) return;
      const aside = path.join(scratch, "state");
      await writeKept(repository, capture, file, aside);
      await rename(aside, target);
    },
  };
}

const isForgotten = ({ log }: History, ref: string): boolean =>
  log.some(({ changes }) => changes.some((change) => change.ref === ref && change.new === null));
