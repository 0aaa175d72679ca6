import { KaiError } from "../../error.js";
import { ObjectReader } from "../../git/object-reader.js";
import { kaiFolderOf } from "../../operation/kai-folder.js";
import { findTrustRoot } from "../../trust/trust-root.js";
import { readTrustedLog } from "../../trust/trusted-log.js";
import type { SnapshotGround } from "../snapshot-ground.js";
import { whyNotTested } from "./require-tested.js";

/** Why tests that passed are not enough for `require_snapshot_test`; null where they are, or nothing asks for them. */
export async function whyNotEnough({ repository, history, version, agent }: SnapshotGround): Promise<string | null> {
  const { number, tag, commit } = version;
  const reader = new ObjectReader(repository);
  try {
    const root = await findTrustRoot(kaiFolderOf(repository).trust);
    if (root === undefined) return null;
    const log = await readTrustedLog(repository, reader, root);
    const why = await whyNotTested(
      { agent, reader, log, history },
      { name: tag, commit, testAs: number.text, isNew: version.tagId === null },
    );
    return why && `It is not enough for a release: ${why.message}`;
  } catch (cause) {
    // The tests have passed; what keeps a version from being made is told where one is.
    if (cause instanceof KaiError) return null;
    throw cause;
  } finally {
    reader.close();
  }
}
