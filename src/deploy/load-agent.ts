import path from "node:path";
import { createClassifier } from "../agent/component.js";
import { type AgentConfig, loadAgentConfig } from "../agent/config.js";
import { decodeConfig } from "../agent/find-config.js";
import { KaiError } from "../error.js";
import { findTrustRoot, type TrustRoot } from "../trust/trust-root.js";
import { readIgnoredPaths } from "../version/ignored-paths.js";
import { tagFormat, versionOfTag } from "../version/tag-name.js";
import { type LoadedState, readCapturedState } from "./captured-state.js";
import { checkWorkingFiles, type FileProblem } from "./check-working-files.js";
import { PlainRepository, sha256 } from "./plain-repository.js";
import { requireComposed } from "./require-composed.js";
import { readTrustedHead } from "./trusted-head.js";
import { readVersionFiles, type VersionFiles } from "./version-files.js";
import { proveVersionInForce, type SignedVersion } from "./version-in-force.js";

export type { LoadedState, LoadedStateFile } from "./captured-state.js";

export interface LoadOptions {
  /** The clock, for `verifiedAt`. */
  readonly now?: () => Date;
}

/** An agent of which everything that decides how it behaves was verified. */
export interface LoadedAgent {
  readonly agentId: string;
  /** In force, without prefix: `1.4.0`. */
  readonly version: string;
  readonly commit: string;
  /** The version hash, computed anew. */
  readonly hash: string;
  /** The version's kai.yaml. */
  readonly config: AgentConfig;
  /** What was captured with the version; null where nothing was. The live state is the agent's own affair. */
  readonly state: LoadedState | null;
  /** Paths of submodules, whose files are not looked at. */
  readonly unchecked: readonly string[];
  readonly verifiedAt: Date;
}

/**
 * Verifies the agent that is checked out around `dir` and gives what it runs on; needs no git binary, starts no process and
 * writes nothing. Proven are: the signed log, from the entry that this clone saw last; the tags of the version in force and
 * its record; the version hash, over every file; that the working tree holds exactly its logic (code, prompts, tools) and
 * configuration; and the captured state, file by file. Files that the version's own .gitignore names are left alone.
 *
 * Working files are compared raw, no filter is run: line ends and git LFS content may be as a checkout makes them, and a
 * file that another smudge filter has changed counts as changed. Whoever can write to the working tree can change it right
 * after; run from a folder that the agent cannot write to where that matters.
 *
 * E102 where something does not match, with every path in `data.paths`; E104 or E105 where there is no agent or no version
 * in force; E120 for a SHA-256, reftable or bare repository or a linked worktree; E121 where the log cannot be trusted.
 */
export async function loadAgent(dir: string, options: LoadOptions = {}): Promise<LoadedAgent> {
  const repository = await PlainRepository.open(dir);
  try {
    return await load(repository, options.now ?? (() => new Date()));
  } catch (cause) {
    if (!(cause instanceof KaiError && cause.code === "E102") || !(await repository.isUnfinished())) throw cause;
    throw new KaiError("E102", cause.message, {
      hint: "An operation is under way here or was interrupted: `git kai-version recover` ends it. Then load again.",
      data: cause.data,
      cause,
    });
  }
}

async function load(repository: PlainRepository, now: () => Date): Promise<LoadedAgent> {
  const root = await requirePin(repository);
  const head = await readTrustedHead(repository, root);
  const signed = await proveVersionInForce(repository, head);
  const version = await readVersionFiles(repository, signed.commit);
  if (version.hash !== signed.hash) throw otherContent(signed, version.hash);
  if (!signed.released) await requireComposed(repository, head, signed, version.files);
  const config = await readVersionConfig(repository, signed, version);
  const { problems, unchecked } = await checkWorkingFiles(
    repository,
    version,
    createClassifier(config.version_management.artifacts),
    await readIgnoredPaths(version.files, (id) => repository.read(id, "blob")),
  );
  if (problems.length > 0) throw otherFiles(signed, problems);
  return {
    agentId: signed.agentId,
    version: signed.version,
    commit: signed.commit,
    hash: version.hash,
    config,
    state: await readCapturedState(repository, signed),
    unchecked,
    verifiedAt: now(),
  };
}

async function requirePin(repository: PlainRepository): Promise<TrustRoot> {
  const root = await findTrustRoot(path.join(repository.gitDir, "kai", "trust.json"));
  if (root) return root;
  throw new KaiError("E121", "This clone has pinned no trust root: nothing says whose versions to believe.", {
    hint: "`git kai-version init` founds or adopts the agent's log, pins its root and shows it for you to compare.",
  });
}

async function readVersionConfig(
  repository: PlainRepository,
  signed: SignedVersion,
  version: VersionFiles,
): Promise<AgentConfig> {
  const file = version.files.find(({ path: name, mode }) => name === "kai.yaml" && mode.startsWith("100"));
  if (file === undefined) {
    throw new KaiError("E105", `${signed.tag} has no kai.yaml.`, { hint: "Make a new version that has one." });
  }
  const bytes = await repository.read(file.id, "blob");
  if (sha256(bytes) !== version.digests.get(file.id)) throw otherContent(signed, `another kai.yaml`);
  const config = await loadAgentConfig(decodeConfig(bytes, "kai.yaml"), "kai.yaml");
  const number = versionOfTag(signed.tag, tagFormat(config.version_management.semantic_versioning.tag_format));
  if ("reason" in number || number.text !== signed.version) {
    throw new KaiError("E102", `The tag ${signed.tag} is not that of ${signed.version}, which the log names.`, {
      hint: "`git kai-version verify --all` says what else is wrong.",
      data: { paths: [`refs/tags/${signed.tag}`] },
    });
  }
  return config;
}

function otherContent(signed: SignedVersion, found: string): KaiError {
  return new KaiError("E102", `The files of ${signed.tag} give ${found}, not ${signed.hash}, which was signed.`, {
    hint: "The repository's objects were damaged or exchanged: `git fsck` says more; clone it again from a copy that you trust.",
    data: { paths: [`refs/tags/${signed.tag}`] },
  });
}

const SHOWN = 20;

function otherFiles(signed: SignedVersion, problems: readonly FileProblem[]): KaiError {
  const shown = problems.slice(0, SHOWN).map(({ path: name, problem }) => `${name} (${problem})`);
  const more = problems.length > SHOWN ? `, and ${problems.length - SHOWN} more` : "";
  return new KaiError(
    "E102",
    `The working tree does not hold the logic and configuration of ${signed.tag}: ${shown.join(", ")}${more}.`,
    {
      hint: `\`git restore .\` takes back what is not committed, \`git kai-version rollback ${signed.version}\` what is; \`git kai-version create\` makes a version of it. Extra files have to be committed, removed or named in .gitignore.`,
      data: { paths: problems.map(({ path: name }) => name), problems },
    },
  );
}
