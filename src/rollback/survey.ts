import { createClassifier } from "../agent/component.js";
import type { AgentConfig } from "../agent/config.js";
import { KaiError } from "../error.js";
import { diffTrees, type TreeChange } from "../git/tree-diff.js";
import { readablePath } from "../system/path-bytes.js";
import { CONFIG_FILE } from "../version/agent-repository.js";
import { findSide } from "../version/compare-side.js";
import { type Compatibility, judgeCompatibility, judgeMigration } from "../version/compare-verdict.js";
import type { DeployedAgent } from "../version/deployed-agent.js";
import { type KnownVersion, versionInForce } from "../version/history.js";
import { liveStateOf } from "../version/live-state.js";
import { requireMovableBranch } from "../version/movable-branch.js";
import { readCommits } from "../version/read-commits.js";
import { findVersionConfig } from "../version/version-config.js";
import { requireCommit, type WorkTreeStatus } from "../version/work-tree-status.js";
import type { WritingSession } from "../version/writing-session.js";
import { composeTree, type Selection, selectComponents, selectPaths } from "./compose-tree.js";
import { findDeployment } from "./find-deployment.js";
import { findTarget, type RollbackTarget } from "./find-target.js";
import { requireState } from "./lacking-state.js";
import { isWayOut, type RollbackRequest } from "./request.js";
import { depthOf } from "./require-depth.js";
import { requireWholeRange } from "./require-whole-range.js";

/** Everything that is read before a rollback is planned. */
export interface Ground {
  readonly from: KnownVersion | undefined;
  readonly target: RollbackTarget;
  /** The version that comes into force; undefined where one has to be made of the tree, null for none at all. */
  readonly version: KnownVersion | null | undefined;
  readonly status: WorkTreeStatus;
  readonly head: string;
  /** Null where no files are moved and HEAD is detached. */
  readonly branch: string | null;
  readonly fromTree: string;
  /** What the branch holds afterwards. */
  readonly toTree: string;
  readonly changes: readonly TreeChange[];
  /** Of those, how many are configuration, and whether one is a lock file or another part of the environment. */
  readonly configFiles: number;
  readonly environmentChanges: boolean;
  readonly submodules: number;
  /** Commits that are undone. */
  readonly undone: readonly string[];
  readonly dirty: readonly string[];
  readonly compatibility: Compatibility | null;
  readonly migration: readonly string[];
  /** Versions between the one in force and the target. */
  readonly depth: number;
  /** The configuration of the version in force: its policies, and its way down. */
  readonly config: AgentConfig;
  /** Where the agent is deployed; undefined where it is not. */
  readonly deployed: DeployedAgent | undefined;
  /** Whether the state goes back, too. */
  readonly withState: boolean;
  /** Whether nothing else of a part does: then the version in force stays, and what is deployed. */
  readonly stateAlone: boolean;
  /** Whether an operation is taken back, by `undo` or as a way out of one that did not hold: then all that it replaced is. */
  readonly takesBack: boolean;
}

/** Looks at what is there and at what is asked for. E101, E102, E109, E125. */
export async function survey(session: WritingSession, request: RollbackRequest): Promise<Ground> {
  const { agent, reader, history } = session;
  const { repository } = agent;
  const found = await findTarget(repository, reader, history, request);
  const from = versionInForce(history);
  const status = await session.status;
  const head = requireCommit(status);
  const branch = await requireMovableBranch(repository, status);
  const dirty = dirtyFiles(session, status);
  // A plan says so as a risk.
  if (dirty.length > 0 && !request.force && !request.dryRun) throw wouldOverwrite(dirty);
  const fromTree = (await reader.find(`${head}^{tree}`))?.id ?? "";
  const selects = selectionOf(request, [agent.config, found.config]);
  if (request.components.includes("state")) requireState(found, request);
  const toTree =
    selects === undefined
      ? found.tree
      : await compose(session, { head, fromTree, target: found.tree, selects }, request);
  // Where a part goes back, what runs afterwards is configured by what is there then.
  const target = selects === undefined ? found : { ...found, config: await findVersionConfig(reader, toTree) };
  if (target.config === null && !request.force) await requireNoInvalidConfig(session, target, { fromTree, toTree });
  const version = selects === undefined ? target.version : await versionOfPart(session, from, target, toTree);
  const withState = selects === undefined || request.components.includes("state");
  const changes = fromTree === toTree ? [] : await diffTrees(repository, fromTree, toTree);
  if (changes.length === 0 && from === version && request.type !== "snapshot" && !withStateOnly(request)) {
    throw isInForce(target, dirty);
  }
  const stateAlone = selects !== undefined && changes.length === 0 && from !== undefined && from === version;
  const undoneCommits = await readCommits(repository, target.commit, head);
  await requireWholeRange(
    repository,
    undoneCommits.map(({ oid }) => oid),
    target.version?.tag ?? target.name,
  );
  const judged = from && target.version ? await judge(session, from, target.version, undoneCommits) : undefined;
  const inForce = from && (await findVersionConfig(reader, from.commit));
  return {
    from,
    target,
    version,
    status,
    head,
    branch,
    fromTree,
    toTree,
    changes,
    ...kindsOfChanges(agent.config, changes),
    undone: undoneCommits.map(({ oid }) => oid),
    dirty,
    compatibility: judged?.compatibility ?? null,
    migration: judged?.migration ?? [],
    depth: depthOf(session, from, target.version),
    config: inForce ?? agent.config,
    deployed: await findDeployment(session, request, inForce ?? agent.config, stateAlone ? undefined : version),
    withState,
    stateAlone,
    takesBack: isWayOut(request),
  };
}

/** The version that a composed tree is: where it is that of the one in force this stays; undefined where it is none yet. */
async function versionOfPart(
  { reader }: WritingSession,
  from: KnownVersion | undefined,
  target: RollbackTarget,
  toTree: string,
): Promise<KnownVersion | undefined> {
  if (from && toTree === (await reader.find(`${from.commit}^{tree}`))?.id) return from;
  return toTree === target.tree ? target.version : undefined;
}

function isInForce({ version, name, capture }: RollbackTarget, dirty: readonly string[]): KaiError {
  const clean = capture
    ? `\`git kai-version rollback ${name} --component state\` takes back the state that was captured with it.`
    : "There is nothing to go back to.";
  return new KaiError("E109", `${version?.tag ?? name} is in force already, and the branch holds its files.`, {
    hint: dirty.length > 0 ? "`git checkout -- .` throws your changes away." : clean,
  });
}

const withStateOnly = ({ components }: RollbackRequest): boolean => components.includes("state");

/** Tracked files that were changed; live state is none of them, nor is what stands in a submodule. */
export function dirtyFiles({ agent }: WritingSession, status: WorkTreeStatus): string[] {
  const isLiveState = liveStateOf(agent.config);
  return status.dirty.filter((name) => !isLiveState(name) && !status.submodules.includes(name));
}

/** Undefined where everything goes back. */
function selectionOf(request: RollbackRequest, configs: readonly (AgentConfig | null)[]): Selection | undefined {
  if (request.type === "selective") return selectComponents(request.components, configs);
  if (request.type === "partial") return selectPaths(request.paths);
  return undefined;
}

/** The tree of a part that goes back. E109 where nothing that was named differs, but the state was not named. */
async function compose(
  session: WritingSession,
  { fromTree, ...parts }: { head: string; fromTree: string; target: string; selects: Selection },
  request: RollbackRequest,
): Promise<string> {
  const { agent, reader, lock } = session;
  const composed = await composeTree(agent.repository, parts, { reader, inherit: [lock.descriptor] });
  if (composed !== undefined) return composed;
  if (request.components.includes("state")) return fromTree;
  throw new KaiError("E109", "Nothing that was named differs from the target.", {
    hint: "`git kai-version compare` shows what differs between two versions, and of which component it is. Live state goes back by `--component state`.",
  });
}

/**
 * Refuses (E125) a kai.yaml in force that is there and cannot be read: behind it only rollbacks, undo and what reads would work.
 * It is the target's, or where a part goes back the one that the branch has already.
 */
async function requireNoInvalidConfig(
  { reader }: WritingSession,
  target: RollbackTarget,
  { fromTree, toTree }: { readonly fromTree: string; readonly toTree: string },
): Promise<void> {
  const idIn = async (tree: string) => (await reader.find(`${tree}:${CONFIG_FILE}`))?.id;
  const [before, after] = [await idIn(fromTree), await idIn(toTree)];
  if (after === undefined) return;
  const name = target.version?.tag ?? target.name;
  if (after === before && after !== (await idIn(target.tree))) {
    throw new KaiError("E125", `The branch's ${CONFIG_FILE} cannot be read, and a version would be made of it.`, {
      hint: `\`git kai-version rollback ${target.name} --path ${CONFIG_FILE}\` takes it back first; without \`--component\` and \`--path\` everything goes back. \`--force\` goes on all the same.`,
    });
  }
  throw new KaiError("E125", `The ${CONFIG_FILE} of ${name} cannot be read today.`, {
    hint: `\`git kai-version compare\` and \`git show ${target.commit}:${CONFIG_FILE}\` show what is in it. \`--force\` goes back all the same: mend the file then, because until that is done only rollbacks, undo and what reads work.`,
  });
}

/** How many of the changes are configuration, submodules, and whether the environment is among them. */
export function kindsOfChanges(config: AgentConfig, changes: readonly TreeChange[]) {
  const componentOf = createClassifier(config.version_management.artifacts);
  const components = changes.map((change) => componentOf(readablePath(change.path)));
  return {
    configFiles: components.filter((each) => each === "config").length,
    environmentChanges: components.includes("environment"),
    submodules: changes.filter(({ newMode }) => newMode === "160000").length,
  };
}

/** What speaks against the way back: the commits between the two, judged as on the way there. */
async function judge(
  session: WritingSession,
  from: KnownVersion,
  to: KnownVersion,
  commits: Awaited<ReturnType<typeof readCommits>>,
) {
  const { reader, history, agent } = session;
  const [newer, older] = [await findSide(reader, history, from.tag), await findSide(reader, history, to.tag)];
  const compatibility = judgeCompatibility(older, newer, commits, [], { shallow: agent.repository.shallow });
  return { compatibility, migration: judgeMigration(newer, older, compatibility.findings).reasons };
}

export function wouldOverwrite(
  paths: readonly string[],
  hint = "Commit or stash them; `--force` saves them under refs/kai/backup and goes on.",
): KaiError {
  const shown = paths.slice(0, 5).map(readablePath).join(", ");
  return new KaiError(
    "E102",
    `Files were changed and not committed: ${shown}${paths.length > 5 ? `, and ${paths.length - 5} more` : ""}.`,
    {
      hint,
      data: { paths: paths.map(readablePath) },
    },
  );
}
