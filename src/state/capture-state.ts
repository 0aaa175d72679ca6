import { lstatSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { formatCommitPayload } from "../git/commit-object.js";
import { type GitObject, makeObject, makeTrees } from "../git/object.js";
import type { Repository } from "../git/repository.js";
import type { Identity } from "../git/signature-line.js";
import { writeFiles } from "../git/write-files.js";
import { canonicalJson } from "../operation/canonical-json.js";
import { makeFolder } from "../system/durable-file.js";
import { readablePath } from "../system/path-bytes.js";
import type { Recipients } from "../trust/recipients.js";
import { type CapturedFile, type CaptureManifest, captureDigest, storedBytesOf } from "./capture-manifest.js";
import { copyStateFile } from "./copy-state-file.js";
import { isOneMoment, lookAt } from "./moment.js";
import { LARGE_BYTES, storeFile } from "./state-store.js";

export interface Capture {
  readonly manifest: CaptureManifest;
  readonly digest: string;
  /** The commit that a ref is to name. */
  readonly commit: GitObject;
  /** What of it is not in the repository yet. */
  readonly objects: readonly GitObject[];
  /** Paths that were named as state and are no regular files. */
  readonly skipped: readonly string[];
}

export interface CaptureRequest {
  readonly files: readonly string[];
  /** What it is the state of, for the commit's message: a tag. */
  readonly of: string;
  readonly who: Identity;
  readonly at: Date;
  /** A folder of ours for the copies; made and removed again. */
  readonly scratch: string;
  readonly inherit: readonly number[];
  /** Everybody who is to read it; undefined: it is kept as it is. */
  readonly recipients?: Recipients | undefined;
}

interface Copied {
  readonly path: string;
  /** The number by which the copy is named. */
  readonly copy: string;
  readonly file: CapturedFile;
}

/** So often small state is copied again where it was written meanwhile. */
const TRIES = 3;

/**
 * Saves the agent's runtime state as it is now. Databases are copied by SQLite itself, so the agent may go on writing; whether
 * all files are of one moment nevertheless, the manifest says.
 */
export async function captureState(
  repository: Repository & { workTree: string },
  request: CaptureRequest,
): Promise<Capture> {
  try {
    const { copied, skipped, consistent } = await copyAll(repository, request);
    const kept = await keep(repository, request, copied);
    return { ...assemble(repository, request, copied, kept, consistent), skipped };
  } finally {
    await rm(request.scratch, { recursive: true, force: true });
  }
}

async function copyAll(repository: Repository & { workTree: string }, request: CaptureRequest) {
  for (let left = TRIES - 1; ; left--) {
    await rm(request.scratch, { recursive: true, force: true });
    await makeFolder(request.scratch);
    const since = lstatSync(request.scratch, { bigint: true }).mtimeNs;
    const before = await lookAt(repository.workTree, request.files);
    const copied: Copied[] = [];
    const skipped: string[] = [];
    for (const name of request.files) {
      const copy = String(copied.length);
      const file = await copyStateFile(repository, name, copy, request);
      if (file === undefined) skipped.push(readablePath(name));
      else copied.push({ path: name, copy, file });
    }
    // A database alone is of one moment, whoever writes.
    const alone = copied.length === 1 && copied[0]?.file.kind === "sqlite";
    const consistent = alone || isOneMoment(before, await lookAt(repository.workTree, request.files), since);
    const bytes = copied.reduce((sum, { file }) => sum + file.size, 0);
    if (consistent || left === 0 || bytes > LARGE_BYTES) return { copied, skipped, consistent };
  }
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
async function keep(repository: Repository, request: CaptureRequest, copied: readonly Copied[]): Promise<Kept> {
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
  request: CaptureRequest,
  copied: readonly Copied[],
  { ids, blobs }: Kept,
  consistent: boolean,
): Omit<Capture, "skipped"> {
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
