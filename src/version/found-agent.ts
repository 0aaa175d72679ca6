import { randomBytes } from "node:crypto";
import { ulid } from "ulid";
import { formatCommitPayload, formatSignedCommit } from "../git/commit-object.js";
import { type GitObject, makeObject } from "../git/object.js";
import type { RefChange } from "../git/ref-transaction.js";
import type { Repository } from "../git/repository.js";
import { CURRENT_REF } from "../operation/entry.js";
import type { Operation } from "../operation/operation.js";
import { formatPolicy, foundingPolicy } from "../trust/policy.js";
import type { Signer } from "../trust/signer.js";

export interface FoundingRequest {
  readonly agentId: string;
  readonly signer: Signer;
  readonly at: Date;
  /** The branch that gets a commit of the configuration; undefined where none is made. */
  readonly commit:
    | {
        readonly branch: string;
        readonly head: string | null;
        readonly tree: GitObject;
        readonly objects: readonly GitObject[];
      }
    | undefined;
  readonly worktree: Operation["worktree"];
  /** Object id of a tag `current` that is here and stands for nothing in the new log: kept aside. */
  readonly strayCurrent: string | undefined;
}

/** The operation that founds a log: its first entry names who may do what from now on. */
export async function planFounding(
  repository: Repository,
  request: FoundingRequest,
): Promise<Operation & { commit: string | null }> {
  const { signer, at, commit } = request;
  const id = ulid(at.getTime());
  const objects: GitObject[] = [];
  const changes: RefChange[] = [];
  let made: GitObject | undefined;
  if (commit) {
    made = await configCommit(repository, request, commit);
    objects.push(...commit.objects, made);
    changes.push({ ref: commit.branch, old: commit.head, new: made.id });
  }
  if (request.strayCurrent !== undefined) {
    changes.push({ ref: CURRENT_REF, old: request.strayCurrent, new: null });
    changes.push({ ref: `refs/kai/conflict/${id}/tags/current`, old: null, new: request.strayCurrent });
  }
  return {
    id,
    repo: randomBytes(16).toString("hex"),
    kind: "init",
    subject: `init ${request.agentId}`,
    at,
    log: null,
    current: { before: null, after: null },
    details: { agent: request.agentId },
    objects,
    changes,
    held: [],
    files: new Map([
      ["policy.json", Buffer.from(formatPolicy(foundingPolicy(principalName(signer), signer.fingerprint)))],
      [`keys/${signer.fingerprint}.asc`, Buffer.from(signer.publicKey)],
    ]),
    worktree: request.worktree,
    commit: made?.id ?? null,
  };
}

/** The name that the policy knows the founder by. */
const principalName = (signer: Signer): string => signer.email || signer.name;

async function configCommit(
  repository: Repository,
  request: FoundingRequest,
  commit: NonNullable<FoundingRequest["commit"]>,
): Promise<GitObject> {
  const payload = formatCommitPayload({
    tree: commit.tree.id,
    parents: commit.head === null ? [] : [commit.head],
    who: request.signer,
    at: request.at,
    message: `chore: put ${request.agentId} under git kai-version`,
  });
  const signature = await request.signer.sign(payload, request.at);
  return makeObject("commit", formatSignedCommit(payload, signature, repository.objectFormat), repository.objectFormat);
}
