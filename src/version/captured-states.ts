import { ObjectReader } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import { type CaptureManifest, parseCapture } from "../state/capture-manifest.js";
import { listMissing } from "../state/state-store.js";
import type { History, KnownVersion } from "./history.js";
import { readStateHistory, type StateHistory, stateRefOf } from "./state-history.js";

/** The state captured with a version, and what became of it. */
export interface ListedState {
  readonly version: string;
  readonly tag: string;
  /** ISO 8601 in UTC. */
  readonly createdAt: string | null;
  /** What the version's tag says of it. */
  readonly digest: string;
  /** `missing`: not in this clone, or large files of it are not, although nobody forgot it; `differs`: another capture than the one that was signed. */
  readonly status: "here" | "forgotten" | "missing" | "differs";
  /** Of files and bytes null where the capture is not here. */
  readonly files: number | null;
  readonly bytes: number | null;
  /** Where the bytes are: in git's objects, in the clone's own store of large files. */
  readonly where: readonly ("git" | "kai")[];
  readonly encrypted: boolean;
  /** Whether all files are of one moment; null where the capture does not say. */
  readonly consistent: boolean | null;
  /** Kept whatever `artifacts.state.keep` says. */
  readonly kept: boolean;
}

/** The state captured with every version, the newest first. */
export async function listStates(repository: Repository, history: History): Promise<ListedState[]> {
  const versions = history.versions.filter((version) => version.state !== null && version.type !== "foreign");
  if (versions.length === 0) return [];
  const known = await readStateHistory(repository);
  const reader = new ObjectReader(repository);
  try {
    const states = await Promise.all(versions.map((version) => listOne(repository, reader, version, known)));
    return states.reverse();
  } finally {
    reader.close();
  }
}

async function listOne(
  repository: Repository,
  reader: ObjectReader,
  version: KnownVersion,
  known: StateHistory,
): Promise<ListedState> {
  const { tag, number, createdAt } = version;
  const digest = version.state ?? "";
  const object = await reader.find(`${stateRefOf(tag)}:capture.json`);
  const manifest = object && parseCapture(object.content, digest);
  const files = manifest?.files ?? [];
  const absent = known.forgotten.has(tag) ? "forgotten" : "missing";
  return {
    version: number.text,
    tag,
    createdAt: createdAt?.toISOString() ?? null,
    digest,
    status: object === undefined ? absent : statusOf(repository, manifest),
    files: manifest ? files.length : null,
    bytes: manifest ? files.reduce((sum, { size }) => sum + size, 0) : null,
    where: [...new Set(files.map(({ stored }) => stored ?? "git"))],
    encrypted: files.some((file) => file.encrypted !== undefined),
    consistent: manifest?.consistent ?? null,
    kept: known.kept.has(tag) && object !== undefined,
  };
}

function statusOf(repository: Repository, manifest: CaptureManifest | undefined): ListedState["status"] {
  if (manifest === undefined) return "differs";
  return listMissing(repository, manifest).length === 0 ? "here" : "missing";
}
