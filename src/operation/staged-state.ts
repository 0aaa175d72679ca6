import { readFile } from "node:fs/promises";
import path from "node:path";
import { writeDurably } from "../system/durable-file.js";
import { canonicalJson } from "./canonical-json.js";
import type { SeenState } from "./state-look.js";

/** A state file that waits in the staging folder as `state/<its number>`. */
export interface StagedStateFile {
  /** Bytes as latin1 text, from the top of the working tree. */
  readonly path: string;
  readonly executable: boolean;
  /** `sqlite`: goes into the database that is there, through SQLite. */
  readonly kind: "file" | "sqlite";
}

/** What becomes of an agent's live state once an operation has happened. */
export interface StagedState {
  readonly files: readonly StagedStateFile[];
  /** Files that the restored state does not have. */
  readonly removed: readonly string[];
  /** The live state as it was saved; empty until it is. */
  readonly seen: SeenState;
}

const PLAN = "state.json";
const APPLIED = "state-applied.json";

export const stagedFile = (folder: string, number: number): string => path.join(folder, "state", String(number));

export const writeStagedState = (folder: string, staged: StagedState): Promise<void> =>
  writeDurably(path.join(folder, PLAN), canonicalJson(staged));

export const readStagedState = (folder: string): Promise<StagedState | undefined> => readJson(folder, PLAN);

/** Remembers that all is in place: from here on the state is the agent's again. `conflicts` are paths (latin1). */
export const writeApplied = (folder: string, conflicts: readonly string[]): Promise<void> =>
  writeDurably(path.join(folder, APPLIED), canonicalJson(conflicts));

export const readApplied = (folder: string): Promise<string[] | undefined> => readJson(folder, APPLIED);

async function readJson<T>(folder: string, name: string): Promise<T | undefined> {
  const text = await readFile(path.join(folder, name), "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT") throw cause;
    return undefined;
  });
  return text === undefined ? undefined : (JSON.parse(text) as T);
}
