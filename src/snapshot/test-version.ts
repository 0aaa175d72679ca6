import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { ulid } from "ulid";
import type { AgentConfig, SnapshotTest } from "../agent/config.js";
import { detectFramework } from "../agent/detect-framework.js";
import { parseDuration } from "../agent/quantity.js";
import { KaiError } from "../error.js";
import type { Repository } from "../git/repository.js";
import type { Comparison } from "./earlier-results.js";
import type { Execution } from "./execution.js";
import { lfsNotes } from "./lfs-notes.js";
import { expectationsOf, notCompared, sandboxSettings } from "./sandbox-settings.js";
import { tempDirOf } from "./temp-dir-of.js";
import { type SandboxRequest, testInSandbox } from "./test-in-sandbox.js";
import { versionTree } from "./version-tree.js";

export interface VersionTestRequest {
  repository: Repository;
  /** Object id of the version's commit. */
  commit: string;
  /** The version's own configuration. */
  config: AgentConfig;
  /** What to run instead of the scenarios of kai.yaml. */
  command?: readonly string[] | undefined;
  /** Of the version's scenarios with those of versions before; default: with none. */
  comparison?: Comparison | undefined;
  env: NodeJS.ProcessEnv;
  /** The product's own folder in the git common dir. */
  kaiDir: string;
  /** Where what this machine can do is kept, for all repositories. */
  cacheDir: string;
  /** Default: `snapshot_isolation.temp_dir`. */
  tempDir?: string | undefined;
  now?: (() => Date) | undefined;
  signal?: AbortSignal | undefined;
  progress?: ((message: string) => void) | undefined;
}

/** One execution; `name` and `kind` are the scenario's, null for a command of the caller's. */
export interface TestedExecution extends Execution {
  name: string | null;
  kind: SnapshotTest["kind"] | null;
}

export interface VersionTest {
  commit: string;
  tree: string;
  base: string;
  passed: boolean;
  tests: TestedExecution[];
  /** What kai.yaml asks for and the test did not do. */
  notes: string[];
}

/**
 * Runs a command, or every scenario of kai.yaml one after the other, over a version's files, each in a throw-away sandbox of its
 * own. Scenarios that fail are a result. Throws E122 where there is nothing to run, E117 without podman, E103 where the
 * isolation cannot be had.
 */
export async function testVersion(request: VersionTestRequest): Promise<VersionTest> {
  const { repository, commit, config, command, env, kaiDir } = request;
  const isolation = config.snapshot_isolation;
  if (command === undefined && isolation.tests.length === 0) throw nothingToRun();
  const user = { uid: isolation.security.run_as_user, gid: isolation.security.run_as_group };
  request.progress?.("Writing the version's files…");
  const { tree, folder } = await versionTree({ repository, commit, kaiDir, user, env });
  const settings = sandboxSettings(isolation, await runtimeOf(folder));
  const common: Omit<SandboxRequest, "id" | "command" | "expect"> = {
    tree: folder,
    base: settings.base,
    security: settings.security,
    limits: settings.limits,
    env,
    tempDir: request.tempDir ?? tempDirOf(config, repository),
    cacheDir: request.cacheDir,
    signal: request.signal,
    progress: request.progress,
  };
  const id = () => ulid(request.now?.().getTime());
  const tests: TestedExecution[] = [];
  const notes: string[] = [];
  if (command !== undefined) {
    const execution = await testInSandbox({ ...common, id: id(), command, expect: {} });
    tests.push({ name: null, kind: null, ...execution });
  } else {
    for (const scenario of isolation.tests) {
      request.progress?.(`Running ${scenario.name}…`);
      const limits = withTimeout(settings.limits, scenario);
      const before = request.comparison?.find(scenario.name);
      if (scenario.expect.worse_than_before !== null && before === undefined) notes.push(notCompared(scenario));
      const expect = expectationsOf(scenario, before);
      const run = ["/bin/sh", "-c", scenario.run];
      const execution = await testInSandbox({ ...common, limits, id: id(), command: run, expect });
      tests.push({ name: scenario.name, kind: scenario.kind, ...execution });
    }
    await request.comparison?.keep(tests.flatMap(passedResult));
  }
  return {
    commit,
    tree,
    base: settings.base.kind === "host" ? "host" : settings.base.name,
    passed: tests.every(({ passed }) => passed),
    tests,
    notes: [...settings.notes, ...notes, ...(await lfsNotes(repository, commit))],
  };
}

const passedResult = ({ name, passed, durationMs, resources }: TestedExecution) =>
  passed && name !== null ? [{ name, durationMs, peakMemory: resources.peakMemory ?? null }] : [];

const withTimeout = (limits: SandboxRequest["limits"], { timeout }: SnapshotTest): SandboxRequest["limits"] =>
  timeout === null ? limits : { ...limits, timeoutMs: parseDuration(timeout) };

/** Told from the names of the files and a few texts; nothing is executed. */
async function runtimeOf(folder: string): Promise<"python" | "node" | "other"> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = files
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
  const read = (name: string) => readFile(path.join(folder, name), "utf8").catch(() => undefined);
  return (await detectFramework(names, read)).runtime;
}

function nothingToRun(): KaiError {
  return new KaiError("E122", "There is nothing to run: kai.yaml has no snapshot_isolation.tests.", {
    hint: 'Name a command behind `--`, or write a scenario: `tests: [{name: answers, run: "python3 logic.py"}]`.',
  });
}
