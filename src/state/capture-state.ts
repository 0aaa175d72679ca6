import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { formatCommitPayload } from "../git/commit-object.js";
import { type GitObject, makeObject, makeTrees } from "../git/object.js";
import type { Repository } from "../git/repository.js";
import type { Identity } from "../git/signature-line.js";
import { writeFiles } from "../git/write-files.js";
import { canonicalJson } from "../operation/canonical-json.js";
import type { Recipients } from "../trust/recipients.js";
import { type CapturedFile, type CaptureManifest, captureDigest, storedBytesOf } from "./capture-manifest.js";
import { type CopyRequest, copyState, type StateCopies } from "./copy-state.js";
import { describeCopy } from "./describe-copy.js";
import type { Moment } from "./moment.js";
import { storeFile } from "./state-store.js";

export interface Capture {
  readonly manifest: CaptureManifest;
  readonly digest: string;
  /** The commit that a ref is to name. */
  readonly commit: GitObject;
  /** What of it is not in the repository yet. */
  readonly objects: readonly GitObject[];
  /** Paths that were named as state and are no regular files. */
  readonly skipped: readonly string[];
  /** Databases that SQLite cannot read, captured as the bytes that they are: their paths (latin1) and why. */
  readonly unreadable: ReadonlyMap<string, string>;
  /** How the files looked just before they were copied. */
  readonly seen: Moment;
}

export interface KeepRequest {
  /** What it is the state of, for the commit's message: a tag. */
  readonly of: string;
  readonly who: Identity;
  readonly at: Date;
  /** The folder of the copies. */
  readonly scratch: string;
  readonly inherit: readonly number[];
  /** Everybody who is to read it; undefined: it is kept as it is. */
  readonly recipients?: Recipients | undefined;
}

/** A copy, and what the capture says of it. */
interface Described {
  readonly copy: string;
  readonly file: CapturedFile;
}

/** Saves the agent's runtime state as it is now; whether all files are of one moment the manifest says. */
export async function captureState(
  repository: Repository & { workTree: string },
  request: CopyRequest & KeepRequest,
): Promise<Capture> {
  try {
    return await keepCopies(repository, request, await copyState(repository, request));
  } finally {
    await rm(request.scratch, { recursive: true, force: true });
  }
}

/** Makes a capture of copies, which it may move away: all that does not need the live files. */
export async function keepCopies(
  repository: Repository,
  request: KeepRequest,
  { copied, skipped, seen, consistent }: StateCopies,
): Promise<Capture> {
  const described: Described[] = [];
  for (const each of copied) described.push({ copy: each.copy, file: await describeCopy(each, request) });
  const kept = await keep(repository, request, described);
  const unreadable = new Map(copied.flatMap(({ path: name, unreadable: why }) => (why ? [[name, why]] : [])));
  return { ...assemble(repository, request, described, kept, consistent), skipped, unreadable, seen };
}

/** So many bytes are handed to git with the capture's other objects; more by a process of its own, which reads the copies. */
const HANDED_BYTES = 4 * 2 ** 20;

interface Kept {
  /** Ids of blobs by the copy's number. */
  readonly ids: ReadonlyMap<string, string>;
  /** Those of them that are still to be written. */
  readonly blobs: readonly GitObject[];
}

/** Puts the copies where they are kept: small ones into git, large ones beside. */
async function keep(repository: Repository, request: KeepRequest, copied: readonly Described[]): Promise<Kept> {
  const { scratch, inherit } = request;
  for (const { copy, file } of copied) {
    if (file.stored === "kai") await storeFile(repository, path.join(scratch, copy), storedBytesOf(file).sha256);
  }
  const small = copied.filter(({ file }) => file.stored === undefined);
  const copies = small.map(({ copy }) => copy);
  if (small.reduce((sum, { file }) => sum + storedBytesOf(file).size, 0) > HANDED_BYTES) {
    const ids = await writeFiles(repository, scratch, copies, inherit);
    return { ids: new Map(copies.map((copy, index) => [copy, ids[index] ?? ""])), blobs: [] };
  }
  const blobs: GitObject[] = [];
  for (const copy of copies) {
    blobs.push(makeObject("blob", await readFile(path.join(scratch, copy)), repository.objectFormat));
  }
  return { ids: new Map(copies.map((copy, index) => [copy, blobs[index]?.id ?? ""])), blobs };
}

function assemble(
  repository: Repository,
  request: KeepRequest,
  copied: readonly Described[],
  { ids, blobs }: Kept,
  consistent: boolean,
): Omit<Capture, "skipped" | "unreadable" | "seen"> {
  const { objectFormat } = repository;
  const manifest: CaptureManifest = { format: "kai-capture/1", files: copied.map(({ file }) => file), consistent };
  const described = makeObject("blob", `${canonicalJson(manifest)}\n`, objectFormat);
  const { root, trees } = makeTrees(
    new Map([
      ["capture.json", { mode: "100644", id: described.id }],
      ...copied.flatMap(({ copy, file }): [string, { mode: string; id: string }][] => {
        const id = ids.get(copy);
        // Numbered: a state file may have any name, and a tree's names are for the manifest to say.
        return id === undefined ? [] : [[`files/${copy}`, { mode: file.mode, id }]];
      }),
    ]),
    objectFormat,
  );
  const payload = formatCommitPayload({
    tree: root.id,
    parents: [],
    who: request.who,
    at: request.at,
    message: `state of ${request.of}`,
  });
  const commit = makeObject("commit", payload, objectFormat);
  return { manifest, digest: captureDigest(manifest), commit, objects: [...blobs, described, ...trees, commit] };
}
