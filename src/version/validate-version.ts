import { KaiError } from "../error.js";
import type { Repository } from "../git/repository.js";
import { parseTag } from "../git/tag-object.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { mayDo, principalOf } from "../trust/policy.js";
import { verifySignature } from "../trust/signature.js";
import type { TrustedLog } from "../trust/trusted-log.js";
import { DigestCache } from "./digest-cache.js";
import { hashTree } from "./hash-tree.js";
import type { History, KnownVersion } from "./history.js";
import { parseVersionTag } from "./tag-text.js";

/**
 * Proves a version before it is put in force: the log made this very tag, a releaser signed it for this repository,
 * and its files give its hash. E101.
 */
export async function validateVersion(
  repository: Repository,
  log: TrustedLog,
  history: History,
  version: KnownVersion,
): Promise<void> {
  if (!isLogged(history, version)) throw corrupted(version, "it is not the tag that the log made");
  const tag = version.latin1 === undefined ? undefined : parseTag(Buffer.from(version.latin1, "latin1"));
  if (tag === undefined || "problem" in tag) throw corrupted(version, tag?.problem ?? "its tag is not annotated");
  if (tag.name !== version.tag) throw corrupted(version, `its tag says it is ${tag.name}`);
  // The same people may sign for several agents: a tag of another one is no version here.
  if (parseVersionTag(tag.message)?.repo !== log.entry.repo)
    throw corrupted(version, "its tag was not made for this repository");
  const verdict = await verifySignature({
    payload: tag.payload,
    signature: tag.signature ?? Buffer.alloc(0),
    keys: log.keys,
    strict: true,
  });
  if (verdict.outcome !== "good") throw corrupted(version, `its signature is ${verdict.outcome}`);
  if (principalOf(log.policy, verdict.key ?? "") === undefined)
    throw corrupted(version, "its signer is nobody of the policy");
  if (!mayDo(log.policy, verdict.key ?? "", "releaser")) throw corrupted(version, "its signer is no releaser");
  const cache = await DigestCache.open(kaiFolderOf(repository).cache, repository.objectFormat);
  const { hash } = await hashTree(repository, version.commit, cache);
  if (hash !== version.hash) throw corrupted(version, `its files give ${hash}, not ${version.hash}`);
}

const isLogged = (history: History, version: KnownVersion): boolean =>
  history.tagObject(`refs/tags/${version.tag}`) === version.tagId;

function corrupted(version: KnownVersion, why: string): KaiError {
  return new KaiError("E101", `${version.tag} is corrupted: ${why}.`, {
    hint: "`git kai-version verify --deep` shows all of it; choose another version.",
  });
}
