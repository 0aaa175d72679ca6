import { createHash } from "node:crypto";
import type { ChangelogEntry } from "../change/changelog.js";
import { canonicalJson } from "../operation/canonical-json.js";
import type { ResolvedAgents } from "./resolved-agents.js";

export type VersionType = "auto" | "manual" | "release" | "rollback";

export interface ComponentSummary {
  readonly files: number;
  /** Digest of the component's part of the manifest. */
  readonly digest: string;
}

/** What is known of a version when it is made; one line of canonical JSON, named by the signed tag. */
export interface VersionRecord {
  readonly format: "kai-record/1";
  /** ULID: the same as the operation that made it. */
  readonly id: string;
  readonly agent: string;
  readonly repo: string;
  readonly version: string;
  readonly tag: string;
  readonly type: VersionType;
  readonly commit: string;
  readonly parent: string | null;
  readonly created: string;
  readonly createdBy: { readonly name: string; readonly email: string; readonly key: string };
  readonly notes: string;
  readonly changelog: readonly ChangelogEntry[];
  readonly tags: readonly string[];
  readonly hash: string;
  readonly checksums: { readonly config: string | null; readonly logic: string | null; readonly state: string | null };
  readonly components: Readonly<Record<string, ComponentSummary>>;
  /** Components whose newest content is taken at run time, because `models.versioning` is off. */
  readonly unpinned: readonly string[];
  /** Git LFS pointers by what they name. */
  readonly lfs: readonly { readonly path: string; readonly oid: string; readonly size: number }[];
  readonly compatibility: {
    readonly required: string;
    /** Versions whose users may take this one, and versions that may be gone back to from here, as far as is judged. */
    readonly backward: readonly string[];
    readonly forward: readonly string[];
  };
  readonly rollback: {
    readonly canRollback: boolean;
    readonly target: string | null;
    readonly risks: readonly string[];
    readonly procedure: "standard";
  };
  readonly isolation: Readonly<Record<string, unknown>>;
  /** Only where kai.yaml names other agents. */
  readonly dependencies?: { readonly agents: ResolvedAgents };
}

export const formatRecord = (record: VersionRecord): string => canonicalJson(record);

/** What the tag's `Kai-Record` holds: SHA-256 of the line's bytes, without its line feed. */
export const recordDigest = (line: string): string => `sha256:${createHash("sha256").update(line).digest("hex")}`;
