import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, rm } from "node:fs/promises";
import path from "node:path";
import { formatCommitPayload } from "../git/commit-object.js";
import { type GitObject, makeObject, makeTrees } from "../git/object.js";
import type { Repository } from "../git/repository.js";
import type { Identity } from "../git/signature-line.js";
import { writeFiles } from "../git/write-files.js";
import { canonicalJson } from "../operation/canonical-json.js";
import { makeFolder } from "../system/durable-file.js";
import { distinctPath, pathBelow, readablePath } from "../system/path-bytes.js";
import { backUpSqlite, isSqlite } from "../system/sqlite.js";
import { type CapturedFile, type CaptureManifest, captureDigest } from "./capture-manifest.js";

export interface Capture {
  readonly manifest: CaptureManifest;
  readonly digest: string;
  /** The commit that `refs/kai/state/<tag>` names; its files' blobs are in the repository already. */
  readonly commit: GitObject;
  readonly objects: readonly GitObject[];
  /** Paths that were named as state and are no regular files. */
  readonly skipped: readonly string[];
}

export interface CaptureRequest {
  readonly files: readonly string[];
  readonly tag: string;
  readonly who: Identity;
  readonly at: Date;
  /** A folder of ours for the copies; made and removed again. */
  readonly scratch: string;
  readonly inherit: readonly number[];
}

/** Saves the agent's runtime state as it is now. Databases are copied by SQLite itself, so the agent may go on writing. */
export async function captureState(
  repository: Repository & { workTree: string },
  request: CaptureRequest,
): Promise<Capture> {
  await makeFolder(request.scratch);
  try {
    const copied: { path: string; file: CapturedFile }[] = [];
    const skipped: string[] = [];
    for (const name of request.files) {
      const file = await copyOne(repository, name, request.scratch, String(copied.length));
      if (file === undefined) skipped.push(readablePath(name));
      else copied.push({ path: name, file });
    }
    const ids = await writeFiles(repository, request.scratch, Object.keys(copied), request.inherit);
    return { ...assemble(repository, request, copied, ids), skipped };
  } finally {
    await rm(request.scratch, { recursive: true, force: true });
  }
}

async function copyOne(
  repository: Repository & { workTree: string },
  name: string,
  scratch: string,
  copy: string,
): Promise<CapturedFile | undefined> {
  const source = pathBelow(repository.workTree, name);
  const handle = await open(source, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(notAFile);
  if (handle === undefined) return undefined;
  const target = path.join(scratch, copy);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) return undefined;
    const mode = stat.mode & 0o111 ? "100755" : "100644";
    const described = { path: distinctPath(name), mode } as const;
    if (await isSqlite(handle)) {
      await backUpSqlite(source, scratch, copy, repository.env);
      return { ...described, kind: "sqlite", ...(await digestFile(target)) };
    }
    const out = await open(target, "wx", 0o600);
    try {
      const hash = createHash("sha256");
      let size = 0;
      for await (const chunk of handle.createReadStream({ autoClose: false, start: 0 })) {
        hash.update(chunk as Buffer);
        size += (chunk as Buffer).length;
        await out.appendFile(chunk as Buffer);
      }
      return { ...described, kind: "file", sha256: hash.digest("hex"), size };
    } finally {
      await out.close();
    }
  } finally {
    await handle.close();
  }
}

function notAFile(cause: NodeJS.ErrnoException): undefined {
  if (["ELOOP", "ENOENT", "ENXIO", "EISDIR"].includes(cause.code ?? "")) return undefined;
  throw cause;
}

async function digestFile(file: string): Promise<{ sha256: string; size: number }> {
  const handle = await open(file, "r");
  try {
    const hash = createHash("sha256");
    let size = 0;
    for await (const chunk of handle.createReadStream({ autoClose: false, start: 0 })) {
      hash.update(chunk as Buffer);
      size += (chunk as Buffer).length;
    }
    return { sha256: hash.digest("hex"), size };
  } finally {
    await handle.close();
  }
}

function assemble(
  repository: Repository,
  request: CaptureRequest,
  copied: readonly { path: string; file: CapturedFile }[],
  ids: readonly string[],
): Omit<Capture, "skipped"> {
  const { objectFormat } = repository;
  const manifest: CaptureManifest = { format: "kai-capture/1", files: copied.map(({ file }) => file) };
  const described = makeObject("blob", `${canonicalJson(manifest)}\n`, objectFormat);
  const { root, trees } = makeTrees(
    new Map([
      ["capture.json", { mode: "100644", id: described.id }],
      ...copied.map(({ file }, index): [string, { mode: string; id: string }] => [
        // Numbered: a state file may have any name, and a tree's names are for the manifest to say.
        `files/${index}`,
        { mode: file.mode, id: ids[index] ?? "" },
      ]),
    ]),
    objectFormat,
  );
  const payload = formatCommitPayload({
    tree: root.id,
    parents: [],
    who: request.who,
    at: request.at,
    message: `state of ${request.tag}`,
  });
  const commit = makeObject("commit", payload, objectFormat);
  return { manifest, digest: captureDigest(manifest), commit, objects: [described, ...trees, commit] };
}
