import type { GitObject } from "../git/object.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import type { Signer } from "../trust/signer.js";
import { DigestCache } from "../version/digest-cache.js";
import { hashTree } from "../version/hash-tree.js";
import { chooseNumber, numberPolicy } from "../version/next-number.js";
import { compareNumbers, makeNumber, type VersionNumber } from "../version/number.js";
import { readPendingChanges } from "../version/pending-changes.js";
import { type SealedRelease, sealRelease } from "../version/seal-release.js";
import { type TagName, tagFormat, tagNameFor } from "../version/tag-name.js";
import { findVersionConfig } from "../version/version-config.js";
import type { WritingSession } from "../version/writing-session.js";

export interface MintRequest {
  readonly number: VersionNumber;
  readonly tag: TagName;
  readonly commit: GitObject;
  readonly tree: string;
  readonly head: string;
  readonly description: string;
  /** Digest of the capture that its state is taken from; null where the state stays. */
  readonly state: string | null;
}

/** The number that a version gets whose tree a rollback makes: the next patch above the highest that was ever used, or is `taken` before. */
export function mintedNumber(
  session: WritingSession,
  taken: VersionNumber | undefined,
): { number: VersionNumber; tag: TagName } {
  const settings = session.agent.config.version_management.semantic_versioning;
  const free = chooseNumber(
    session.history,
    undefined,
    "none",
    { type: undefined, bump: "patch", exact: undefined },
    numberPolicy(settings),
  );
  const number =
    taken && compareNumbers(free, taken) <= 0 ? makeNumber(taken.major, taken.minor, taken.patch + 1) : free;
  return { number, tag: tagNameFor(number, tagFormat(settings.tag_format)) };
}

/** Makes a version of type rollback of a tree that is none yet: what is in force always is one. */
export async function mintVersion(
  session: WritingSession,
  request: MintRequest,
  signer: Signer,
): Promise<SealedRelease> {
  const { repository, config } = session.agent;
  const { number, tag, commit, tree, head, description, state } = request;
  const cache = await DigestCache.open(kaiFolderOf(repository).cache, repository.objectFormat);
  return sealRelease(
    session,
    {
      number,
      tag,
      type: "rollback",
      commit: commit.id,
      tree,
      pending: await readPendingChanges(repository, session.history, head),
      description,
      tags: [],
      hashed: await hashTree(repository, tree, cache),
      state,
      config: (await findVersionConfig(session.reader, tree)) ?? config,
      current: true,
    },
    signer,
  );
}
