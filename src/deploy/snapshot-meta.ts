import type { VersionRecord } from "../version/record.js";

/** `snapshot_meta.json` of a deployment: what of the version's record the agent's own tools read, under the names that they know. */
export function formatSnapshotMeta(record: VersionRecord): string {
  const meta = {
    version: record.version,
    created: record.created,
    commit_hash: record.commit,
    parent: record.parent,
    snapshot_type: record.type,
    notes: record.notes,
    agent_state_checksum: record.checksums.state,
    config_checksum: record.checksums.config,
  };
  return `${JSON.stringify(meta, null, 2)}\n`;
}
