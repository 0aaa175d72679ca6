import type { FoundNote } from "../git/notes.js";
import type { GitObject } from "../git/object.js";
import type { RefChange } from "../git/ref-transaction.js";
import type { InForce, OperationKind } from "./entry.js";
import type { LiveChange } from "./live-change.js";
import type { WorktreeChange } from "./stage-worktree.js";
import type { FileIdentity } from "./worktree-manifest.js";

/** Signs an entry; the key and how it is unlocked are no concern of this layer. */
export interface EntrySigner {
  readonly fingerprint: string;
  readonly name: string;
  readonly email: string;
  /** An armoured detached signature over `payload`. */
  sign(payload: Buffer, at: Date): Promise<string>;
}

/** What an operation will do, as plain data: the plan that `perform` carries out. */
export interface Operation {
  /** ULID. */
  readonly id: string;
  readonly repo: string;
  readonly kind: OperationKind;
  /** For people, e.g. `create v1.2.0`. */
  readonly subject: string;
  readonly at: Date;
  /** The head of the log that the plan was made on; null founds it. */
  readonly log: { readonly head: string; readonly seq: number; readonly at: Date } | null;
  readonly current: { readonly before: InForce | null; readonly after: InForce | null };
  readonly withdrawn?: readonly string[];
  readonly restored?: readonly string[];
  readonly details?: Readonly<Record<string, unknown>>;
  /** Objects that the refs below need and that are not in the repository yet. */
  readonly objects: readonly GitObject[];
  readonly changes: readonly RefChange[];
  /** Refs that nobody may move while the operation runs, such as the branch. */
  readonly held: readonly RefChange[];
  /** Files of the entry's tree: the policy, the keys, and the bytes of tags and record made. */
  readonly files: ReadonlyMap<string, Buffer>;
  /** Lines to append to the note on a commit, and what was found there. */
  readonly note?: { readonly commit: string; readonly lines: readonly string[]; readonly on: FoundNote } | undefined;
  readonly worktree?: WorktreeChange | undefined;
  /** A whole new index, made at `path` of the one that was `seen`; the working tree already agrees with it. */
  readonly index?: { readonly path: string; readonly seen: FileIdentity | null } | undefined;
  readonly live?: LiveChange | undefined;
  /** Throws where there is no time left, or nobody wants it any more; called right before the commit point. */
  readonly requireTime?: (() => void) | undefined;
}

export interface PerformedOperation {
  readonly id: string;
  readonly seq: number;
  /** Object id of the log entry. */
  readonly entry: string;
  readonly at: Date;
}
