import type { Repository } from "../git/repository.js";
import type { Caller } from "../version/writing-session.js";
import type { SnapshotRecord } from "./snapshot-record.js";

/** The values of a snapshot's secrets, by variable. Few have some, and what finds them out is loaded only there. E112. */
export async function loadSecrets(
  repository: Repository,
  caller: Caller,
  record: SnapshotRecord,
): Promise<Readonly<Record<string, string>>> {
  if (Object.keys(record.settings.secrets).length === 0) return {};
  const { secretsFor } = await import("./secrets-for.js");
  return secretsFor(repository, caller, record);
}
