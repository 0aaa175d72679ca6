import { ulid } from "ulid";
import { openRepository } from "../git/repository.js";
import { execAtTerminal } from "../podman/exec-at-terminal.js";
import type { Egress } from "./egress/serve-egress.js";
import { requireRunning } from "./exec-in-snapshot.js";
import { openEgress } from "./sandbox/sandbox-network.js";
import { secretsFor } from "./secrets-for.js";
import { isRootless, type SnapshotCaller } from "./snapshot-ground.js";
import { SnapshotStore } from "./snapshot-store.js";

/** Whichever is there. */
const USUAL = "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi";

/** Hands this process's terminal to a shell in a snapshot, and gives the shell's exit status. E101, E103. */
export async function shellInSnapshot(
  caller: SnapshotCaller,
  asked: string,
  shell: string | undefined,
): Promise<number> {
  const { env, now, signal } = caller;
  const repository = await openRepository(caller.cwd, env);
  const store = new SnapshotStore(repository);
  const { record } = requireRunning(await store.find(asked));
  const id = ulid(now().getTime());
  const release = await store.lease(record.id, id);
  const container = { name: record.container, process: record.process ?? "" };
  let egress: Egress | undefined;
  try {
    const secrets = await secretsFor(repository, caller, record);
    if (record.settings.network.mode === "isolated") {
      egress = await openEgress(container, record.settings, { rootless: isRootless(), env, signal });
    }
    const command = shell === undefined ? (["/bin/sh", "-c", USUAL] as const) : ([shell] as const);
    return await execAtTerminal(
      container,
      { id, command: [...command], env: egress?.environment, secrets },
      { env, signal },
    );
  } finally {
    await egress?.close();
    await release();
  }
}
