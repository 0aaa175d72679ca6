import type { BlobSource } from "../../git/write-blobs.js";
import type { FoundChange, FoundChanges } from "../ingest/found-changes.js";
import { openFound } from "../ingest/open-found.js";
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

/** Undefined where it is not what was found any more. */
async function readFound(root: string, change: FoundChange): Promise<Buffer | undefined> {
  const handle = await openFound(root, change).catch(() => undefined);
  try {
    return await handle?.readFile();
  } catch {
    return undefined;
  } finally {
    await handle?.close();
  }
}
