import type { SnapshotTest } from "../agent/config.js";
import { KaiError } from "../error.js";
import type { Repository } from "../git/repository.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { readRef } from "../operation/read-ref.js";
import { readablePath } from "../system/path-bytes.js";
import { kaiHome } from "../trust/key-store.js";
import { openSigner, type Signer } from "../trust/signer.js";
import { findTrustRoot } from "../trust/trust-root.js";
import type { Caller } from "../version/writing-session.js";
import type { Artifact, EndedExecution, Execution } from "./execution.js";
import type { FoundChanges } from "./ingest/found-changes.js";
import { collectArtifacts } from "./runs/collect-artifacts.js";
import { hideSecrets, type ToldFreely } from "./runs/hide-secrets.js";
import { recordRun } from "./runs/record-run.js";
import { maskWords } from "./runs/redact.js";
import { environmentOf, type RunEnvironment, type RunGiven } from "./runs/run-environment.js";
import { isolationOf } from "./runs/run-isolation.js";
import { RUNS_REF, type RunRecord } from "./runs/run-record.js";
import type { SnapshotRecord } from "./snapshot-record.js";

export interface RunScenario {
  readonly name: string;
  readonly kind: SnapshotTest["kind"];
  readonly digest: string;
  readonly notCompared: boolean;
}

export interface RunToKeep {
  readonly snapshot: SnapshotRecord;
  readonly execution: EndedExecution;
  readonly output: { readonly stdout: Buffer; readonly stderr: Buffer };
  readonly command: readonly string[];
  readonly at: Date;
  readonly scenario: RunScenario | null;
  /** Whether the sandbox's files were the version's when it began. */
  readonly pristine: boolean;
  /** What it changed, and the folder that holds it; undefined where nobody looked. */
  readonly changed?: { readonly found: FoundChanges; readonly folder: string } | undefined;
  readonly secrets: readonly string[];
  /** Variables that it was given beside them, and its seed. */
  readonly given: Pick<RunGiven, "env" | "seed">;
}

/**
 * Keeps a run as a commit on refs/kai/runs, signed where a key is at hand without asking for it, and says what of its files is not in
 * there, and what may be told of it. Null where that fails: the run took place, and its result is what counts.
 */
export type Keeper = (run: RunToKeep) => Promise<Pick<Execution, "run"> & ToldFreely>;

/** Looks for all that a run is kept with, whatever it is, so that there is less to do when it has ended. */
export function openKeeper(repository: Repository, caller: Caller): Keeper {
  const found = Promise.all([
    findSigner(caller.env),
    findTrustRoot(kaiFolderOf(repository).trust),
    readRef(repository, RUNS_REF),
  ]);
  // Whoever keeps a run is told of its failure.
  found.catch(() => {});
  return async (run) => {
    const { execution } = run;
    try {
      const [signer, root, head] = await found;
      const { files, notKept } = await collectArtifacts(run.changed, run.secrets);
      const artifacts = execution.artifacts && markNotKept(execution.artifacts, notKept);
      const told = hideSecrets({ ...execution, artifacts }, run.secrets);
      const command = maskWords(run.command, run.secrets);
      const kept = { ...run, command, execution: { ...execution, ...told } };
      const record = recordOf(kept, await stoodOn(run), root?.repo ?? "", signer);
      return { run: await recordRun(repository, { record, ...run.output, files }, signer, head), ...told };
    } catch (cause) {
      if (!(cause instanceof KaiError)) throw cause;
      caller.onLeft?.(`The run could not be kept: ${cause.message}${cause.hint === undefined ? "" : ` ${cause.hint}`}`);
      return { run: null, ...hideSecrets(execution, run.secrets) };
    }
  };
}

function markNotKept(artifacts: readonly Artifact[], notKept: ReadonlyMap<string, string>): Artifact[] {
  const reasons = new Map([...notKept].map(([path, reason]) => [readablePath(path), reason]));
  return artifacts.map((artifact) => {
    const reason = reasons.get(artifact.path);
    return reason === undefined ? artifact : { ...artifact, notKept: reason };
  });
}

/** Nobody is asked for a passphrase to keep a test's result. */
async function findSigner(env: NodeJS.ProcessEnv): Promise<Signer | undefined> {
  return openSigner({ home: kaiHome(env), env }).catch((cause: unknown) => {
    if (cause instanceof KaiError && (cause.code === "E110" || cause.code === "E111")) return undefined;
    throw cause;
  });
}

const stoodOn = ({ snapshot, execution, command, given }: RunToKeep): Promise<RunEnvironment> =>
  environmentOf(execution.id, {
    podman: snapshot.podman ?? null,
    runtime: snapshot.runtime,
    image: execution.isolation.image,
    command,
    ...given,
  });

function recordOf(run: RunToKeep, environment: RunEnvironment, repo: string, signer: Signer | undefined): RunRecord {
  const { snapshot, execution, command, scenario, pristine, at } = run;
  const { settings } = snapshot;
  const { stdout: _out, stderr: _err, unenforced, isolation: _isolation, ...told } = execution;
  return {
    ...told,
    format: "kai-run/1",
    repo,
    agent: snapshot.agent,
    version: snapshot.version,
    tag: snapshot.tag,
    commit: snapshot.commit,
    tree: snapshot.tree,
    pristine,
    scenario: scenario && { name: scenario.name, kind: scenario.kind },
    scenarioDigest: scenario?.digest ?? null,
    notCompared: scenario?.notCompared ?? false,
    command,
    at: at.toISOString(),
    isolation: {
      network: settings.network.mode,
      filesystem: settings.filesystem,
      process: settings.process,
      image: execution.isolation.image,
      imageBase: execution.isolation.imageBase,
      unenforced,
      settings: isolationOf(settings),
    },
    environment,
    actor: signer ? { name: signer.name, email: signer.email, key: signer.fingerprint } : null,
  };
}
