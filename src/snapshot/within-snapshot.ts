import { ulid } from "ulid";
import { KaiError } from "../error.js";
import { openRepository, type Repository } from "../git/repository.js";
import type { RunningContainer } from "../podman/start-container.js";
import type { Caller } from "../version/writing-session.js";
import type { Egress } from "./egress/serve-egress.js";
import { endAbandoned } from "./end-abandoned.js";
import { isRootless } from "./is-rootless.js";
import { loadSecrets } from "./load-secrets.js";
import { requireOwnUser } from "./require-own-user.js";
import { containerOf, type SnapshotRecord } from "./snapshot-record.js";
import { type KnownSnapshot, SnapshotStore } from "./snapshot-store.js";
import { endDeadHolds } from "./while-still.js";

/** What an execution in a snapshot has while it lasts. */
export interface ExecutionGround {
  /** ULID of the execution. */
  readonly id: string;
  readonly at: Date;
  readonly repository: Repository;
  readonly store: SnapshotStore;
  readonly record: SnapshotRecord;
  readonly container: RunningContainer;
  /** Values of secrets, by variable. */
  readonly secrets: Readonly<Record<string, string>>;
  /** The way to the hosts that are allowed; undefined where the network's mode has none. */
  readonly egress: Egress | undefined;
}

/** Does something in a snapshot that waits for commands, which counts as running meanwhile. E101, E103, E112, E113, E123, E125. */
export async function withinSnapshot<T>(
  caller: Caller,
  asked: string,
  work: (ground: ExecutionGround) => Promise<T>,
): Promise<T> {
  const { env, now, interrupted: signal } = caller;
  const repository = await openRepository(caller.cwd, env);
  const store = new SnapshotStore(repository);
  const { record } = requireRunning(await store.find(asked));
  requireOwnUser(store, record);
  const at = now();
  const id = ulid(at.getTime());
  const release = await store.lease(record.id, id);
  const container = containerOf(record);
  const { settings } = record;
  let egress: Egress | undefined;
  try {
    await endDeadHolds(store, record, env);
    await endAbandoned(store, record, env);
    const secrets = await loadSecrets(repository, caller, record);
    await markSecrets(store, record, secrets);
    if (settings.network.mode === "isolated") {
      const { openEgress } = await import("./sandbox/sandbox-network.js");
      egress = await openEgress(container, settings, { rootless: isRootless(), env, signal });
    }
    return await work({ id, at, repository, store, record, container, secrets, egress });
  } finally {
    await egress?.close();
    await release();
  }
}

/** So that what it writes of them is recognised later. */
async function markSecrets(
  store: SnapshotStore,
  { id }: SnapshotRecord,
  secrets: Readonly<Record<string, string>>,
): Promise<void> {
  const values = Object.values(secrets);
  if (values.length > 0) await (await import("./given-secrets.js")).markGiven(store.folderOf(id), values);
}

/** E103 for a snapshot in which nothing can be run. */
function requireRunning(known: KnownSnapshot): KnownSnapshot {
  const { record, status, reason } = known;
  if (status === "ready" || status === "running") return known;
  const files = status === "error" ? "" : "`snapshot diff`, `save` and `commit` still reach its files; ";
  throw new KaiError("E103", `The snapshot ${record.id} is ${status}${reason === null ? "" : `: ${reason}`}.`, {
    hint: `${files}\`snapshot create\` makes another one.`,
  });
}
