import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { findText } from "./read-text.js";

/** What is known of an execution in a snapshot from its beginning on, beside what it printed. */
export interface ExecutionLog {
  /** ISO 8601 in UTC. */
  readonly at: string;
  readonly command: readonly string[];
  /** Null until it has ended. */
  readonly exitCode: number | null;
}

const SUFFIX = ".json";

export const writeExecutionLog = (folder: string, id: string, log: ExecutionLog): Promise<void> =>
  writeFile(path.join(folder, `${id}${SUFFIX}`), JSON.stringify(log), { mode: 0o600 });

/** Undefined where it is not there, or not whole. */
export function findExecutionLog(folder: string, id: string): ExecutionLog | undefined {
  try {
    const log = JSON.parse(findText(path.join(folder, `${id}${SUFFIX}`)) ?? "") as Partial<ExecutionLog>;
    return typeof log.at === "string" && Array.isArray(log.command) ? (log as ExecutionLog) : undefined;
  } catch {
    return undefined;
  }
}

/** Of one that never began. */
export async function removeExecutionLog(folder: string, id: string): Promise<void> {
  for (const suffix of [SUFFIX, ".stdout", ".stderr"]) await rm(path.join(folder, `${id}${suffix}`), { force: true });
}
