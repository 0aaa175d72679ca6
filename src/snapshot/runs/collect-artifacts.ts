import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { BlobSource } from "../../git/write-blobs.js";
import { HeldFolder, openBelow } from "../../system/held-folder.js";
import type { FoundChange, FoundChanges } from "../ingest/found-changes.js";
import { holdsSecret } from "./redact.js";

/** Of a run that many files are kept, that large together; the rest is listed. */
const MOST_FILES = 1000;
const MOST_BYTES = 16 * 1024 * 1024;

/** The regular files that a run made or changed, as they are kept with it: none that holds a secret, and not more than a run should. */
export async function collectArtifacts(
  changed: { readonly found: FoundChanges; readonly folder: string } | undefined,
  secrets: readonly string[],
): Promise<Map<string, { mode: string; source: BlobSource }>> {
  const files = new Map<string, { mode: string; source: BlobSource }>();
  let left = MOST_BYTES;
  for (const change of changed?.found.changes ?? []) {
    const { path, mode, size } = change;
    if (mode === null || mode === "120000" || size > left) continue;
    if (files.size === MOST_FILES) break;
    const bytes = await readFound(changed?.folder ?? "", change);
    if (bytes === undefined || holdsSecret(bytes, secrets)) continue;
    left -= bytes.length;
    files.set(path, { mode, source: { size: bytes.length, chunks: () => once(bytes) } });
  }
  return files;
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Undefined where it is not what was found any more. */
async function readFound(root: string, { path, size }: FoundChange): Promise<Buffer | undefined> {
  const folders = path.split("/");
  const base = folders.pop() ?? "";
  const parent = openBelow(root, folders, { make: false });
  if (!(parent instanceof HeldFolder)) return undefined;
  try {
    const handle = await open(parent.at(base), FLAGS);
    try {
      const stat = await handle.stat();
      return stat.isFile() && stat.size === size ? await handle.readFile() : undefined;
    } finally {
      await handle.close();
    }
  } catch {
    return undefined;
  } finally {
    parent.close();
  }
}
