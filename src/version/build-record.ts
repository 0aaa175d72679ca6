import { createClassifier } from "../agent/component.js";
import type { AgentConfig } from "../agent/config.js";
import { changelogOf } from "../change/verdict.js";
import { isoSeconds } from "../operation/build-entry.js";
import { describeTree } from "./describe-tree.js";
import type { LfsPointer } from "./find-lfs-pointers.js";
import type { HashedTree } from "./hash-tree.js";
import type { VersionNumber } from "./number.js";
import type { PendingChanges } from "./pending-changes.js";
import type { VersionRecord, VersionType } from "./record.js";
import type { ResolvedAgents } from "./resolved-agents.js";

export interface RecordInput {
  readonly id: string;
  readonly agent: string;
  readonly repo: string;
  readonly number: VersionNumber;
  readonly tag: string;
  readonly type: VersionType;
  readonly commit: string;
  readonly pending: PendingChanges;
  readonly at: Date;
  readonly signer: { readonly name: string; readonly email: string; readonly fingerprint: string };
  readonly notes: string;
  readonly tags: readonly string[];
  readonly hashed: HashedTree;
  readonly lfs: readonly LfsPointer[];
  readonly state: string | null;
  readonly config: AgentConfig;
  readonly agents: ResolvedAgents;
}

/** A new version's record; everything in it is known before the version's tag is signed. */
export function buildRecord(input: RecordInput): VersionRecord {
  const { config, pending } = input;
  const artifacts = config.version_management.artifacts;
  const description = describeTree(input.hashed.lines, createClassifier(artifacts));
  const parent = pending.inForce?.number.text ?? null;
  const judged = config.version_management.semantic_versioning.change_detection;
  const required = judged ? pending.verdict.required : "none";
  return {
    format: "kai-record/1",
    id: input.id,
    agent: input.agent,
    repo: input.repo,
    version: input.number.text,
    tag: input.tag,
    type: input.type,
    commit: input.commit,
    parent,
    created: isoSeconds(input.at),
    createdBy: { name: input.signer.name, email: input.signer.email, key: input.signer.fingerprint },
    notes: input.notes,
    changelog: changelogOf(pending.commits),
    tags: input.tags,
    hash: input.hashed.hash,
    checksums: { config: description.config, logic: description.logic, state: input.state },
    components: description.components,
    unpinned: artifacts.models.versioning ? [] : ["models"],
    lfs: input.lfs,
    compatibility: {
      required,
      backward: judged && parent !== null && required !== "major" ? [parent] : [],
      forward: judged && parent !== null && (required === "patch" || required === "none") ? [parent] : [],
    },
    rollback: { canRollback: true, target: parent, risks: rollbackRisks(pending), procedure: "standard" },
    isolation: isolationOf(config),
    ...(Object.keys(input.agents).length > 0 && { dependencies: { agents: input.agents } }),
  };
}

/** What going back from this version to its parent may cost. */
const rollbackRisks = (pending: PendingChanges): string[] =>
  pending.verdict.findings.filter((finding) => finding.level === "major").map((finding) => finding.message);

function isolationOf({ snapshot_isolation: wanted }: AgentConfig): Record<string, unknown> {
  return { process: wanted.default_isolation, network: wanted.network.mode, filesystem: wanted.filesystem };
}
