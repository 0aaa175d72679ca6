import type { BlobSource } from "../../git/write-blobs.js";
import type { FoundChange, FoundChanges } from "../ingest/found-changes.js";
import { openFound } from "../ingest/open-found.js";
import { HOLDS_SECRET } from "../ingest/refuse-secrets.js";
import { holdsSecret } from "./redact.js";

/** Of a run that many files are kept, that large together; the rest is listed. */
const MOST_FILES = 1000;
const MOST_BYTES = 16 * 1024 * 1024;

export interface CollectedArtifacts {
  /** By path (latin1). */
  readonly files: ReadonlyMap<string, { readonly mode: string; readonly source: BlobSource }>;
  /** Why what else was made or changed is not among them. */
  readonly notKept: ReadonlyMap<string, string>;
}

/** The regular files that a run made or changed, as they are kept with it: none that holds a secret, and not more than a run should. */
export async function collectArtifacts(
  changed: { readonly found: FoundChanges; readonly folder: string } | undefined,
  secrets: readonly string[],
): Promise<CollectedArtifacts> {
  const files = new Map<string, { mode: string; source: BlobSource }>();
  const notKept = new Map<string, string>();
  let left = MOST_BYTES;
  for (const change of changed?.found.changes ?? []) {
    const { path, mode } = change;
    if (mode === null) continue;
    const bytes = await bytesToKeep(changed?.folder ?? "", change, { left, kept: files.size, secrets });
    if (typeof bytes === "string") {
      notKept.set(path, bytes);
      continue;
    }
    left -= bytes.length;
    files.set(path, { mode, source: { size: bytes.length, chunks: () => once(bytes) } });
  }
  return { files, notKept };
}

/** Or why they are not kept. */
async function bytesToKeep(
  folder: string,
  change: FoundChange,
  { left, kept, secrets }: { readonly left: number; readonly kept: number; readonly secrets: readonly string[] },
): Promise<Buffer | string> {
  if (holdsSecret(Buffer.from(change.path, "latin1"), secrets)) return HOLDS_SECRET;
  if (change.mode === "120000") return "a link";
  if (change.size > left) return `more than ${MOST_BYTES} bytes of one run`;
  if (kept === MOST_FILES) return `more than ${MOST_FILES} files of one run`;
  const bytes = await readFound(folder, change);
  if (bytes === undefined) return "it could not be read";
  return holdsSecret(bytes, secrets) ? HOLDS_SECRET : bytes;
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
