import { createClassifier } from "../agent/component.js";
import { type AgentConfig, loadAgentConfig } from "../agent/config.js";
import { listRefs } from "../git/refs.js";
import type { Repository } from "../git/repository.js";
import { tryGit } from "../git/run-git.js";
import { readablePath } from "../system/path-bytes.js";
import type { TrustRoot } from "../trust/trust-root.js";
import { CONFIG_FILE, type EffectiveConfig, findEffectiveConfig } from "./agent-repository.js";
import { frameworkOf } from "./framework-of.js";
import { buildHistory } from "./history.js";
import { requireSameId } from "./initial-files.js";
import type { Rebuilt } from "./rebuild-projection.js";
import { tagFormat } from "./tag-name.js";

export interface InitResult {
  /**
   * `founded`: a new log. `adopted`: one that was fetched or was here unpinned. `updated`: the remote's went on from the one
   * here, and was taken in. `present`: nothing to do.
   */
  readonly outcome: "founded" | "adopted" | "updated" | "present";
  /** Nothing was done: this is what would be. */
  readonly dryRun: boolean;
  readonly agentId: string;
  /** The version's tag, or HEAD, whose kai.yaml says so, because the agent's own is gone or broken; else null. */
  readonly configFrom: string | null;
  /** What is wrong with the agent's own where that is broken; else null. */
  readonly configProblem: string | null;
  /** Null in a dry run where the log is not here yet; so is the trust root. */
  readonly repoId: string | null;
  readonly trustRoot: { readonly entry: string; readonly digest: string; readonly origin: TrustRoot["origin"] } | null;
  /** Null where none is needed; its fingerprint is null in a dry run that does not know it. */
  readonly key: { readonly fingerprint: string | null; readonly made: boolean } | null;
  readonly framework: string;
  readonly artifacts: Readonly<Record<string, number>>;
  readonly written: readonly string[];
  /** The kai.yaml that a dry run would write; else null. */
  readonly config: string | null;
  readonly commit: string | null;
  readonly untracked: readonly string[];
  /** The remote that the log was taken from. */
  readonly remote: string | null;
  /** Remotes whose refspecs were set. */
  readonly remotes: readonly string[];
  /** Records and tags that the log spoke of and that came with no remote. */
  readonly rebuilt: Rebuilt;
  /** Tags that were here before: numbers they reserve, and those that stand for none. */
  readonly reserved: readonly string[];
  readonly skipped: readonly { readonly tag: string; readonly reason: string }[];
}

export interface Particulars extends Partial<InitResult> {
  readonly outcome: InitResult["outcome"];
  readonly root: TrustRoot | null;
  /** What a dry run would find here once it had happened, where that is not what is here. */
  readonly instead?: {
    readonly config: string | undefined;
    readonly added: readonly string[];
    readonly removed: readonly string[];
  };
}

/** Joins what was done, or would be, with what the repository holds. */
export async function describeInitialised(
  repository: Repository,
  { root, instead, ...particulars }: Particulars,
): Promise<InitResult> {
  const found = instead ? await planned(instead.config) : await findEffectiveConfig(repository);
  const config = found?.config;
  const format = tagFormat(config?.version_management.semantic_versioning.tag_format ?? "v{version}");
  const history = buildHistory(await listRefs(repository, ["refs/tags"]), [], format);
  const names = await listFiles(repository);
  for (const name of instead?.added ?? []) names.add(name);
  for (const name of instead?.removed ?? []) names.delete(name);
  return {
    dryRun: false,
    agentId: config?.agent_id ?? "",
    configFrom: found?.configFrom ?? null,
    configProblem: found?.configFrom === undefined ? null : (found.broken?.message ?? null),
    repoId: root?.repo ?? null,
    trustRoot: root && { entry: root.root, digest: root.digest, origin: root.origin },
    key: null,
    framework: particulars.framework ?? (await frameworkOf(repository, [...names].map(readablePath))),
    artifacts: countArtifacts(names, config),
    written: [],
    config: null,
    commit: null,
    untracked: [],
    remote: null,
    remotes: [],
    rebuilt: { records: [], tags: [] },
    reserved: history.versions.filter((version) => version.type === "foreign").map((version) => version.number.text),
    skipped: history.skipped,
    ...particulars,
  };
}

const planned = async (text: string | undefined): Promise<EffectiveConfig | undefined> =>
  text === undefined ? undefined : { config: await loadAgentConfig(text, CONFIG_FILE) };

/** Refuses (E106) another id than that of an agent whose log is here, or is about to be. */
export async function requireAgentId(repository: Repository, wantedId: string | undefined): Promise<void> {
  if (wantedId === undefined) return;
  const found = await findEffectiveConfig(repository);
  if (found) requireSameId(found.config, wantedId);
}

/** The paths (latin1) of the index; in a bare repository those of HEAD. */
async function listFiles(repository: Repository): Promise<Set<string>> {
  const listed = await tryGit(
    repository,
    repository.bare ? ["ls-tree", "-r", "-z", "--name-only", "--full-tree", "HEAD"] : ["ls-files", "-z"],
  );
  const names = listed.exitCode === 0 ? listed.stdout.toString("latin1").split("\0") : [];
  return new Set(names.filter((name) => name !== ""));
}

function countArtifacts(names: ReadonlySet<string>, config: AgentConfig | undefined): Record<string, number> {
  const counts: Record<string, number> = {};
  if (config === undefined) return counts;
  const componentOf = createClassifier(config.version_management.artifacts);
  for (const name of names) {
    const component = componentOf(readablePath(name));
    counts[component] = (counts[component] ?? 0) + 1;
  }
  return counts;
}
