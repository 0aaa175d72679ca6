import { KaiError } from "../error.js";
import { parseTag, type TagObject } from "../git/tag-object.js";
import { canonicalJson, parseCanonicalJson } from "../operation/canonical-json.js";
import { type CaptureManifest, parseCapture } from "../state/capture-manifest.js";
import { SEAL_FILE } from "../state/find-state-files.js";
import { findRecord } from "../version/find-record.js";
import { isLines, type ManifestLine } from "../version/manifest.js";
import type { VersionRecord } from "../version/record.js";
import { parseVersionTag } from "../version/tag-text.js";

/** What a deployment is proven by where there is no repository: `.kai-deployment.json`, one line of canonical JSON. */
export interface Seal {
  readonly format: "kai-deployment/1";
  /** The bytes of the version's signed tag, a character each (latin1). */
  readonly tag: string;
  /** The version's record, whose digest the tag holds. */
  readonly record: string;
  /** The capture whose files are in the folder, whose digest the tag holds; null for none. */
  readonly state: string | null;
  /** What `lifecycle.install` put there; nobody but the one who deployed it vouches for that. */
  readonly installed: readonly ManifestLine[];
}

/** A seal, and what its parts say; they agree. */
export interface OpenedSeal {
  readonly tag: TagObject;
  /** Its bytes. */
  readonly raw: Buffer;
  readonly agentId: string;
  /** The repository's id, of the log's first entry. */
  readonly repo: string;
  readonly hash: string;
  readonly record: VersionRecord;
  readonly state: CaptureManifest | null;
  readonly installed: readonly ManifestLine[];
}

export const formatSeal = (seal: Seal): string => `${canonicalJson(seal)}\n`;

/** Reads a seal whose tag names record, version hash and capture; whether the tag's signature is good is not asked. E102. */
export function openSeal(bytes: Buffer, folder: string): OpenedSeal {
  const seal = parseCanonicalJson(bytes.toString().replace(/\n$/, ""))?.value;
  if (!isSeal(seal)) throw brokenSeal(folder, "it is not what this program wrote");
  const raw = Buffer.from(seal.tag, "latin1");
  const tag = parseTag(raw);
  if ("problem" in tag) throw brokenSeal(folder, `its tag cannot be read: ${tag.problem}`);
  const text = parseVersionTag(tag.message);
  const record = text && findRecord(seal.record, text.record);
  if (!text || !record) throw brokenSeal(folder, "its record is not the one that its tag names");
  if (record.hash !== text.hash || record.commit !== tag.object || record.tag !== tag.name) {
    throw brokenSeal(folder, "its record says something else than its tag");
  }
  const state = seal.state === null ? null : parseCapture(Buffer.from(seal.state), text.state ?? "");
  if (state === undefined) throw brokenSeal(folder, "its capture is not the one that its tag names");
  return { tag, raw, agentId: text.agent, repo: text.repo, hash: text.hash, record, state, installed: seal.installed };
}

function isSeal(value: unknown): value is Seal {
  const { format, tag, record, state, installed } = (value ?? {}) as Partial<Record<keyof Seal, unknown>>;
  return (
    format === "kai-deployment/1" &&
    typeof tag === "string" &&
    typeof record === "string" &&
    (state === null || typeof state === "string") &&
    isLines(installed)
  );
}

export const brokenSeal = (folder: string, why: string): KaiError =>
  new KaiError("E102", `The deployment ${folder} cannot be proven: ${why}.`, {
    hint: "Move that folder away and run `git kai-version deploy` again, which writes it anew.",
    data: { paths: [SEAL_FILE] },
  });
