import type { ObjectReader } from "../git/object-reader.js";
import { type CapturedFile, parseCapture } from "../state/capture-manifest.js";
import type { ComparedSide } from "./compare-side.js";

export interface ComparedState {
  /** Digest of the capture that the version's tag names; null where it has none. */
  readonly from: string | null;
  readonly to: string | null;
  /** Null where one side is no version, so that nothing was captured for it. */
  readonly changed: boolean | null;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly modified: readonly {
    readonly path: string;
    readonly size: { readonly from: number; readonly to: number };
  }[];
  /** Why the files could not be compared. */
  readonly problems: readonly string[];
}

/** Compares the runtime state that was captured with each version, file by file, by digest. Live state plays no part. */
export async function compareState(reader: ObjectReader, from: ComparedSide, to: ComparedSide): Promise<ComparedState> {
  const digests = { from: from.version?.state ?? null, to: to.version?.state ?? null };
  const nothing = { ...digests, added: [], removed: [], modified: [] };
  const unversioned = [from, to].find((side) => side.version === undefined);
  if (unversioned) {
    return { ...nothing, changed: null, problems: [`${unversioned.name} is no version: no state is captured with it`] };
  }
  if (digests.from === digests.to) return { ...nothing, changed: false, problems: [] };
  const [before, after] = await Promise.all([readCapture(reader, from), readCapture(reader, to)]);
  const problems = [before, after].flatMap((side) => (side.problem === undefined ? [] : [side.problem]));
  if (problems.length > 0) return { ...nothing, changed: true, problems };
  return { ...digests, changed: true, ...diffCaptured(before.files, after.files), problems };
}

interface ReadCapture {
  readonly files: readonly CapturedFile[];
  readonly problem?: string;
}

async function readCapture(reader: ObjectReader, { version }: ComparedSide): Promise<ReadCapture> {
  if (version === undefined || version.state === null) return { files: [] };
  const object = await reader.find(`refs/kai/state/${version.tag}:capture.json`);
  if (object === undefined) return { files: [], problem: `the state of ${version.tag} is not in this clone` };
  const manifest = parseCapture(object.content, version.state);
  if (manifest !== undefined) return { files: manifest.files };
  return { files: [], problem: `the state of ${version.tag} is not what its tag names` };
}

function diffCaptured(before: readonly CapturedFile[], after: readonly CapturedFile[]) {
  const old = new Map(before.map((file) => [file.path, file]));
  const fresh = new Map(after.map((file) => [file.path, file]));
  return {
    added: [...fresh.keys()].filter((path) => !old.has(path)),
    removed: [...old.keys()].filter((path) => !fresh.has(path)),
    modified: [...fresh.values()].flatMap((file) => {
      const other = old.get(file.path);
      if (other === undefined || (other.sha256 === file.sha256 && other.mode === file.mode)) return [];
      return [{ path: file.path, size: { from: other.size, to: file.size } }];
    }),
  };
}
