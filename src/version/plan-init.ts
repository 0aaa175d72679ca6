import { KaiError } from "../error.js";
import { listRemotes } from "../git/network.js";
import { ObjectReader } from "../git/object-reader.js";
import { openRepository, type Repository } from "../git/repository.js";
import { LOG_REF } from "../operation/entry.js";
import { readOperationState } from "../operation/operation-state.js";
import { readablePath } from "../system/path-bytes.js";
import type { TrustRoot } from "../trust/trust-root.js";
import { findRootOf } from "../trust/trusted-log.js";
import { CONFIG_FILE, findConfigText } from "./agent-repository.js";
import { type Asker, decideInit } from "./decide-init.js";
import { describeInitialised, type InitResult, requireAgentId } from "./init-result.js";
import { type FoundingWish, prepareFounding } from "./prepare-founding.js";
import { planRewrittenConfig } from "./rewrite-config.js";

export interface InitPlanner extends Asker {
  readonly cwd: string;
  /** The key that would sign, or would be made; nobody is asked for a passphrase. */
  readonly findKey: () => Promise<{ fingerprint: string | null; made: boolean }>;
}

/** What `initAgent` would do here, found out without a lock and without writing anything. E125 where it must recover first, E113 where something runs. */
export async function planInit(planner: InitPlanner, wish: FoundingWish): Promise<InitResult> {
  const repository = await openRepository(planner.cwd, planner.env);
  const { running, interrupted } = await readOperationState(repository);
  if (running !== null) {
    throw new KaiError("E113", "An operation is under way, and what is to be done depends on how it ends.", {
      hint: "`git kai-version status` says which; wait for it to end and run this again.",
    });
  }
  if (interrupted) {
    throw new KaiError("E125", "An operation was interrupted, and what is to be done depends on how it ends.", {
      hint: "`git kai-version recover` brings it to its end; then run this again.",
    });
  }
  const way = await decideInit(repository, planner, wish.newRoot);
  if (way.kind === "found") return planFounded(repository, planner, wish);
  await requireAgentId(repository, wish.agentId);
  if (way.kind === "fetch") {
    const { outcome, remote, known = null } = way;
    return describeInitialised(repository, { outcome, root: known, remote, dryRun: true });
  }
  const root = way.kind === "present" ? way.root : await readRoot(repository);
  const outcome = way.kind === "present" ? "present" : "adopted";
  const files = way.kind === "present" ? await planRewrittenConfig(repository, wish.agentId) : undefined;
  if (files === undefined) return describeInitialised(repository, { outcome, root, dryRun: true });
  const { framework, changed } = files;
  const config = changed.find(({ path }) => path === CONFIG_FILE)?.content.toString() ?? null;
  return describeInitialised(repository, {
    outcome,
    root,
    dryRun: true,
    framework,
    written: changed.map(({ path }) => readablePath(path)),
    config,
    instead: { config: config ?? undefined, added: [], removed: [] },
  });
}

async function readRoot(repository: Repository): Promise<TrustRoot> {
  const reader = new ObjectReader(repository);
  try {
    return await findRootOf(repository, reader, LOG_REF);
  } finally {
    reader.close();
  }
}

async function planFounded(repository: Repository, planner: InitPlanner, wish: FoundingWish): Promise<InitResult> {
  const { files, status, branch } = await prepareFounding(repository, planner.progress, wish);
  const key = await planner.findKey();
  const written = files.changed.map(({ path }) => path);
  const config = files.changed.find(({ path }) => path === CONFIG_FILE)?.content.toString() ?? null;
  const added = [...files.own].filter((name) => written.includes(name) || status.untracked.includes(name));
  return describeInitialised(repository, {
    outcome: "founded",
    root: null,
    dryRun: true,
    agentId: files.agentId,
    key,
    framework: files.framework,
    written: written.map(readablePath),
    config,
    untracked: files.untracked.map(readablePath),
    remotes: await listRemotes(repository),
    instead: {
      config: config ?? (await findConfigText(repository)),
      added: branch === undefined ? [] : added,
      removed: branch === undefined ? [] : files.untracked,
    },
  });
}
