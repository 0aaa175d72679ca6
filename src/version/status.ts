import { createClassifier } from "../agent/component.js";
import { KaiError } from "../error.js";
import { diffTrees } from "../git/tree-diff.js";
import { type RunningOperation, readOperationState } from "../operation/operation-state.js";
import { readablePath } from "../system/path-bytes.js";
import { readCurrent } from "./current.js";
import { type History, type KnownVersion, versionInForce } from "./history.js";
import { judgeCurrent, type Problem } from "./judge-version.js";
import { highestVersion } from "./next-number.js";
import { readPendingChanges } from "./pending-changes.js";
import { type AgentHistory, readAgentHistory } from "./reading.js";
import { hasStatus, type Standing } from "./standing.js";
import { readStatus } from "./work-tree-status.js";

export interface ModifiedPath {
  readonly path: string;
  readonly component: string;
  /** `committed`: differs in HEAD. `changed`: not committed. `untracked`: in no commit. */
  readonly how: "committed" | "changed" | "untracked";
}

export interface AgentStatus {
  readonly agent: string;
  readonly current: string | null;
  /** What a releaser said last of that; null where none did. */
  readonly standing: Standing | null;
  /** The highest that was neither withdrawn nor given up, pre-releases only where there is nothing else. */
  readonly latest: string | null;
  readonly head: string | null;
  /** The branch's full ref; null where HEAD is detached. */
  readonly branch: string | null;
  /** HEAD has no commit yet. */
  readonly unborn: boolean;
  /** Paths that differ from the version in force. */
  readonly modified: readonly ModifiedPath[];
  /** Commits that no version has yet; null in a shallow clone, where they cannot be counted. */
  readonly unversioned: number | null;
  /** Whether an operation was interrupted, and waits for `recover`. */
  readonly recovery: boolean;
  /** The operation that somebody carries out at this moment; null where none is. */
  readonly running: RunningOperation | null;
  /** Where this clone lacks the log, or the tag `current` is not what the log says. */
  readonly problems: readonly Problem[];
}

/** What differs from the tree of the version in force: in commits, in the index and in the working tree. */
export async function readAgentStatus(cwd: string, env: NodeJS.ProcessEnv): Promise<AgentStatus> {
  return readStatusOf(await readAgentHistory(cwd, env));
}

/** The same of an agent whose history has been read. */
export async function readStatusOf(known: AgentHistory): Promise<AgentStatus> {
  const { agent, history } = known;
  const { repository, config } = agent;
  const [status, operation] = await Promise.all([readStatus(repository), readOperationState(repository)]);
  const inForce = versionInForce(history);
  const componentOf = createClassifier(config.version_management.artifacts);
  const found = new Map<string, ModifiedPath>();
  const note = (names: readonly string[], how: ModifiedPath["how"]) => {
    for (const name of names) {
      const path = readablePath(name);
      const component = componentOf(path);
      if (component !== "state") found.set(path, { path, component, how });
    }
  };
  let unversioned: number | null = repository.shallow ? null : 0;
  if (status.head !== null) {
    const changes = inForce === undefined ? [] : await diffTrees(repository, inForce.commit, status.head);
    note(
      changes.map((change) => change.path),
      "committed",
    );
    // One that an operation made beforehand is not in force, and holds them all.
    const isVersion = history.versions.some(
      ({ commit, withdrawn, type }) => commit === status.head && !withdrawn && type !== "foreign",
    );
    if (unversioned !== null && !isVersion) {
      unversioned = (await readPendingChanges(repository, history, status.head)).commits.length;
    }
  }
  note(status.untracked, "untracked");
  note(status.dirty, "changed");
  return {
    agent: config.agent_id,
    current: history.current?.version ?? null,
    standing: inForce?.standing ?? null,
    latest: newestInUse(history)?.number.text ?? null,
    head: status.head,
    branch: status.branch,
    unborn: status.head === null,
    modified: [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1)),
    unversioned,
    recovery: operation.interrupted,
    running: operation.running,
    problems: await problemsOf(known),
  };
}

const newestInUse = (history: History): KnownVersion | undefined =>
  highestVersion({ versions: history.versions.filter((version) => hasStatus(version, "active")) });

const NO_LOG: Problem = {
  code: "record-not-fetched",
  message: "This clone lacks the log: `git kai-version init` fetches and adopts it.",
};

async function problemsOf({ agent, history, pointer, hasLog, unfinished }: AgentHistory): Promise<readonly Problem[]> {
  if (!hasLog) return [NO_LOG];
  const problems = judgeCurrent(history, pointer);
  if (problems.length === 0 || unfinished) return [];
  const { workTree, gitDir, env } = agent.repository;
  // Tags and log, read apart, may be of two moments: this reads them at one.
  return readCurrent(workTree ?? gitDir, env).then(
    () => [],
    (cause: unknown) => (cause instanceof KaiError && cause.code === "E121" ? problems : []),
  );
}
