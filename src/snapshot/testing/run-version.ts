import type { CommandStreams } from "../../podman/command-streams.js";
import { readAgentHistory } from "../../version/reading.js";
import type { Caller } from "../../version/writing-session.js";
import type { Execution } from "../execution.js";
import { readGround } from "../snapshot-ground.js";
import type { SnapshotOptions } from "../snapshot-settings.js";
import { runThrowAway, type ThrowAwayRequest } from "./run-throw-away.js";

export interface RunVersionRequest extends CommandStreams {
  /** A number, a tag, `current`, or a commit as git names it. */
  readonly version: string;
  readonly command: readonly [string, ...string[]];
  readonly options: SnapshotOptions;
  readonly wait: boolean;
  readonly commit?: ThrowAwayRequest["commit"];
}

/** Runs one command over a version's files, in a snapshot that is gone afterwards. */
export async function runVersion(caller: Caller, request: RunVersionRequest): Promise<Execution> {
  const known = await readAgentHistory(caller.cwd, caller.env, caller.onConfigGone);
  const ground = await readGround(known, request.version);
  return runThrowAway(caller, ground, { ...request, expect: {}, scenario: null });
}
