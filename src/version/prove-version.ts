import type { ObjectReader } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import { parseTag } from "../git/tag-object.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { principalOf } from "../trust/policy.js";
import { verifySignature } from "../trust/signature.js";
import type { TrustedLog } from "../trust/trusted-log.js";
import { DigestCache } from "./digest-cache.js";
import { hashTree } from "./hash-tree.js";
import type { History, KnownVersion } from "./history.js";
import { parseVersionTag } from "./tag-text.js";

/** What a version is proven by. */
export interface Proving {
  readonly repository: Repository;
  readonly reader: ObjectReader;
  readonly log: TrustedLog;
  readonly history: History;
  /** Digests of blobs that are believed; default: those of the clone's cache. */
  readonly digests?: Pick<DigestCache, "get" | "add">;
}

/**
 * Why a version is not proven, or undefined: the log must have made this very tag, somebody of the policy must have signed it
 * for this repository who may (`whyNotBy` says why not), and its files must give its hash.
 */
export async function whyNotProven(
  { repository, log, history, digests }: Proving,
  version: KnownVersion,
  whyNotBy: (key: string) => string | undefined | Promise<string | undefined>,
): Promise<string | undefined> {
  if (!isLogged(history, version)) return "it is not the tag that the log made";
  const tag = version.latin1 === undefined ? undefined : parseTag(Buffer.from(version.latin1, "latin1"));
  if (tag === undefined || "problem" in tag) return tag?.problem ?? "its tag is not annotated";
  if (tag.name !== version.tag) return `its tag says it is ${tag.name}`;
  // The same people may sign for several agents: a tag of another one is no version here.
  if (parseVersionTag(tag.message)?.repo !== log.entry.repo) return "its tag was not made for this repository";
  const verdict = await verifySignature({
    payload: tag.payload,
    signature: tag.signature ?? Buffer.alloc(0),
    keys: log.keys,
    strict: true,
  });
  if (verdict.outcome !== "good") return `its signature is ${verdict.outcome}`;
  const key = verdict.key ?? "";
  if (principalOf(log.policy, key) === undefined) return "its signer is nobody of the policy";
  const why = await whyNotBy(key);
  if (why !== undefined) return why;
  const believed = digests ?? (await DigestCache.open(kaiFolderOf(repository).cache, repository.objectFormat));
  const { hash } = await hashTree(repository, version.commit, believed);
  return hash === version.hash ? undefined : `its files give ${hash}, not ${version.hash}`;
}

const isLogged = (history: History, version: KnownVersion): boolean =>
  history.tagObject(`refs/tags/${version.tag}`) === version.tagId;
