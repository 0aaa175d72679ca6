import type { SnapshotTest } from "../../agent/config.js";
import { canonicalJson } from "../../operation/canonical-json.js";
import type { EndedExecution } from "../execution.js";
import type { RunEnvironment } from "./run-environment.js";
import type { RunIsolation } from "./run-isolation.js";

export const RUNS_REF = "refs/kai/runs";

/** What is kept of one execution in a sandbox: the message of a commit on refs/kai/runs, whose tree holds output and artifacts. */
export interface RunRecord extends Omit<EndedExecution, "stdout" | "stderr" | "unenforced" | "isolation"> {
  readonly format: "kai-run/1";
  /** Random id of the repository, so that no other one's run counts here. */
  readonly repo: string;
  readonly agent: string;
  readonly version: string;
  readonly tag: string;
  readonly commit: string;
  /** The tree that it ran over. */
  readonly tree: string;
  /** Whether the sandbox's files were that very tree when it began. */
  readonly pristine: boolean;
  readonly scenario: { readonly name: string; readonly kind: SnapshotTest["kind"] } | null;
  /** SHA-256 of the scenario as kai.yaml has it, so that another one of that name does not count for it. */
  readonly scenarioDigest: string | null;
  /** Whether it was to be compared with a version before, and none was tested on that machine; absent in runs kept before it was. */
  readonly notCompared?: boolean;
  readonly command: readonly string[];
  readonly at: string;
  readonly isolation: {
    readonly network: string;
    readonly filesystem: string;
    readonly process: string;
    readonly image: string;
    /** Absent in those that were kept before it was. */
    readonly imageBase?: string | null;
    readonly unenforced: readonly string[];
    /** Absent in those that were kept before it was. */
    readonly settings?: RunIsolation;
  };
  /** Absent in those that were kept before it was. */
  readonly environment?: RunEnvironment;
  readonly actor: { readonly name: string; readonly email: string; readonly key: string } | null;
}

/** A subject for people, a blank line, the record as one line of canonical JSON. */
export function formatRunMessage(record: RunRecord): string {
  const what = record.scenario?.name ?? record.command.join(" ");
  const subject = `run ${oneLine(what)} in ${record.tag}: ${record.passed ? "passed" : "failed"}`;
  return `${subject}\n\n${canonicalJson(record)}\n`;
}

const LONGEST = 60;

const oneLine = (text: string): string => {
  const line = text.replace(/[\p{Cc}\s]+/gu, " ").trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
};
