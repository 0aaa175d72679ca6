import { readFile } from "node:fs/promises";
import path from "node:path";
import type { CommandStreams } from "../../podman/command-streams.js";
import { reasonOf } from "../../system/reason-of.js";
import type { Caller } from "../../version/writing-session.js";
import { type BegunSnapshot, beginSnapshot } from "../begin-snapshot.js";
import type { RunCommit } from "../commit/commit-run.js";
import { listChanges } from "../describe-changes.js";
import { takeFilesAway } from "../end-snapshot.js";
import { DISK_FAILED, type EndedExecution, type Execution } from "../execution.js";
import type { RunScenario } from "../keep-run.js";
import type { TimedScenario } from "../limit-openings.js";
import { loadKeeper } from "../load-keeper.js";
import { loadSecrets } from "../load-secrets.js";
import { originOf } from "../orphaned-snapshots.js";
import { isDamaged } from "../require-whole-disk.js";
import { maskWords } from "../runs/redact.js";
import { seedFor } from "../runs/run-environment.js";
import { findHost, unenforcedOn } from "../sandbox/requirements.js";
import { type RanInSandbox, runInSandbox } from "../sandbox/run-in-sandbox.js";
import { makeSandboxFolder, removeSandboxFolder } from "../sandbox/sandbox-folder.js";
import { changedFolder } from "../sandbox/sandbox-layers.js";
import { makeNetwork, releaseNetwork } from "../sandbox/sandbox-network.js";
import type { SnapshotGround } from "../snapshot-ground.js";
import type { SnapshotOptions } from "../snapshot-settings.js";
import { type KnownSnapshot, labelsOf } from "../snapshot-store.js";
import { toldIsolation } from "../told-isolation.js";
import type { Expectations } from "./expectations.js";
import { judgeExecution } from "./judge-execution.js";

export interface ThrowAwayRequest extends CommandStreams {
  readonly options: SnapshotOptions;
  readonly wait: boolean;
  readonly command: readonly [string, ...string[]];
  readonly expect: Expectations;
  readonly scenario: (RunScenario & TimedScenario) | null;
  /** What becomes of what it changed; undefined: as `commit_changes` and `rollback_on_error` of the version say. */
  readonly commit?: Pick<RunCommit, "allowExecutable" | "message"> | undefined;
}

type SeededRequest = ThrowAwayRequest & { readonly seed: number };

/**
 * Runs a command in a snapshot of its own that goes when it has ended; what came of it is kept as a run. A command that fails is a
 * result, and so is that what it changed is refused. E103, E113, E117, E122.
 */
export async function runThrowAway(
  caller: Caller,
  ground: SnapshotGround,
  request: ThrowAwayRequest,
): Promise<Execution> {
  const { repository } = ground;
  const first = await beginSnapshot(caller, ground, { ...request, throwAway: true });
  let ended = false;
  try {
    const secrets = await loadSecrets(repository, caller, first.record);
    const at = caller.now();
    const seeded = { ...request, seed: seedFor(first.record.settings.env) };
    const { begun, ran } = await runTwice(caller, first, seeded, secrets);
    ended = true;
    const { record } = begun;
    const damaged = ran.found.changes.length > 0 && (await isDamaged(begun.store, record, caller.env));
    const whole = await wholeStdout(first, ran, request.expect);
    const execution = judge(begun, ran, request.expect, { damaged, whole });
    const { commit_changes: always, rollback_on_error: onlyWhenPassed } = ground.config.snapshot_isolation;
    const commit = request.commit ?? (always ? { allowExecutable: false } : undefined);
    // What comes after the run is loaded after it: it has begun the sooner. It is kept first, so that it is not lost with a commit
    // that is refused.
    const keepRun = await loadKeeper(repository, caller);
    const kept = await keepRun({
      snapshot: record,
      execution,
      output: ran.output,
      command: request.command,
      at,
      scenario: request.scenario,
      pristine: record.base === null,
      changed: damaged ? undefined : { found: ran.found, folder: changedFolder(ran.layers) },
      secrets: Object.values(secrets),
      given: { env: record.settings.env, seed: seeded.seed },
    });
    if (ran.output.dropped > 0) {
      const told = {
        at: at.toISOString(),
        command: maskWords(request.command, Object.values(secrets)),
        exitCode: execution.exitCode,
      };
      const { keepLogs } = await import("../kept-logs.js");
      await keepLogs(repository, first.store.logsOf(record.id), record.id, told).catch((cause: unknown) =>
        caller.onLeft?.(`The whole output of the run could not be kept: ${reasonOf(cause)}.`),
      );
    }
    if (commit === undefined) return { ...execution, ...kept, branch: null, executable: [], notCommitted: null };
    const { commitRun } = await import("../commit/commit-run.js");
    const how = { ...commit, onlyWhenPassed, changed: ran.found.changes.length > 0, secrets: Object.values(secrets) };
    return {
      ...execution,
      ...kept,
      ...(await commitRun(caller, begun.store, stoppedSnapshot(begun, ran), execution, how)),
    };
  } finally {
    await (ended ? takeFilesAway(first.store, first.record, caller.env) : first.discard());
  }
}

/** What is looked for may stand where the output of the result was cut; undefined where it was not, or nobody looks. */
async function wholeStdout(
  { store, record: { id } }: BegunSnapshot,
  { output }: RanInSandbox,
  expect: Expectations,
): Promise<string | undefined> {
  if (output.dropped === 0 || (expect.stdout ?? expect.stdoutMatches) === undefined) return undefined;
  return readFile(path.join(store.logsOf(id), `${id}.stdout`), "utf8").catch(() => undefined);
}

/** What is kept about this machine may be out of date: where nothing starts by it, it is looked at again, as strictly as before. */
async function runTwice(
  caller: Caller,
  begun: BegunSnapshot,
  request: SeededRequest,
  secrets: Readonly<Record<string, string>>,
): Promise<{ readonly begun: BegunSnapshot; readonly ran: RanInSandbox }> {
  const { record, places, store } = begun;
  const { env } = caller;
  const first = await runBegun(caller, begun, request, secrets, true);
  if (first !== undefined) return { begun, ran: first };
  const fitting = await findHost(record.settings, { env, ...places, refresh: true });
  const { host } = fitting;
  const unenforced = unenforcedOn(fitting, record.settings, begun.base);
  await removeSandboxFolder(record.folder, { rootless: host.rootless, env });
  await makeSandboxFolder(record.folder, originOf(store, record));
  const again = { ...begun, host, record: { ...record, unenforced } };
  return { begun: again, ran: (await runBegun(caller, again, request, secrets, false)) as RanInSandbox };
}

async function runBegun(
  caller: Caller,
  { record, base, host, places, store, devices }: BegunSnapshot,
  { command, onChunk, unread, stdin, seed }: SeededRequest,
  secrets: Readonly<Record<string, string>>,
  mayFail: boolean,
): Promise<RanInSandbox | undefined> {
  const { env, interrupted: signal } = caller;
  const { id, folder, settings } = record;
  caller.progress("Running in the sandbox…");
  try {
    const network = await makeNetwork(record, env);
    return await runInSandbox(
      {
        id,
        labels: labelsOf(store, record),
        tree: record.lower,
        folder,
        base,
        settings,
        secrets,
        // Set by the run, by its own time.
        seconds: 0,
        env,
        cacheDir: places.cacheDir,
        network,
        devices,
        command,
        timeoutMs: settings.limits.timeoutMs,
        seed,
        logs: store.logsOf(id),
        onChunk,
        unread,
        stdin,
        signal,
      },
      host,
      { mayFail },
    );
  } finally {
    await releaseNetwork(record, env);
  }
}

function judge(
  { record }: BegunSnapshot,
  { result, output, requests, requestsDropped, found, image }: RanInSandbox,
  expect: Expectations,
  { damaged, whole }: { readonly damaged: boolean; readonly whole: string | undefined },
): EndedExecution {
  const { exitCode, durationMs, timedOut, oomKilled, usage: resources } = result;
  const judged = judgeExecution({ exitCode, durationMs, timedOut, oomKilled, resources }, output, expect, whole);
  return {
    ...judged,
    ...(damaged && { passed: false, failures: [...judged.failures, DISK_FAILED] }),
    id: record.id,
    snapshot: null,
    requests,
    requestsDropped,
    ...listChanges(found),
    unenforced: record.unenforced,
    isolation: toldIsolation({ ...record, image }),
  };
}

const stoppedSnapshot = ({ record }: BegunSnapshot, { image }: RanInSandbox): KnownSnapshot => ({
  record: { ...record, image, status: "stopped" },
  status: "stopped",
  reason: null,
});
