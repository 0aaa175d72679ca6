import type { SnapshotTest } from "../../agent/config.js";
import { KaiError } from "../../error.js";
import { readAgentHistory } from "../../version/reading.js";
import { versionsBefore } from "../../version/versions-before.js";
import type { Caller } from "../../version/writing-session.js";
import type { Execution } from "../execution.js";
import { whyNotEnough } from "../gate/why-not-enough.js";
import { scenarioDigest } from "../runs/scenario-digest.js";
import type { SaveBegunWith } from "../save-begun-with.js";
import { scenarioTime } from "../scenario-time.js";
import { readGround, type SnapshotGround } from "../snapshot-ground.js";
import type { SnapshotOptions } from "../snapshot-settings.js";
import { compareWithEarlier } from "./earlier-results.js";
import { expectationsOf, notCompared } from "./expectations-of.js";
import { lfsNotes } from "./lfs-notes.js";
import { runThrowAway, type ThrowAwayRequest } from "./run-throw-away.js";

export interface TestVersionRequest {
  /** A number, a tag, `current`, or a commit as git names it. */
  readonly version: string;
  /** What to run instead of the scenarios of kai.yaml. */
  readonly command?: readonly [string, ...string[]] | undefined;
  readonly options: SnapshotOptions;
  readonly wait: boolean;
  /** Default: those of the version's own kai.yaml. For the time that others take the caller answers. */
  readonly scenarios?: readonly SnapshotTest[] | undefined;
  readonly commit?: ThrowAwayRequest["commit"];
}

/** One execution; `name` and `kind` are the scenario's, null for a command of the caller's. */
export interface TestedExecution extends Execution {
  readonly name: string | null;
  readonly kind: SnapshotTest["kind"] | null;
}

export interface VersionTest {
  readonly version: string;
  /** Whose files were tested. */
  readonly commit: string;
  readonly passed: boolean;
  readonly tests: readonly TestedExecution[];
  /** What is to be known of the result. */
  readonly notes: readonly string[];
}

/**
 * Runs a command, or every scenario of the version's kai.yaml one after the other, each in a snapshot of its own that is gone
 * afterwards. Scenarios that fail are a result. E122 where there is nothing to run.
 */
export async function testVersion(caller: Caller, request: TestVersionRequest): Promise<VersionTest> {
  const known = await readAgentHistory(caller.cwd, caller.env, caller.onConfigGone);
  const ground = await readGround(known, request.version);
  const tested = await testGround(caller, ground, request);
  if (!tested.passed || request.command !== undefined || ground.save !== null) return tested;
  const why = await whyNotEnough(ground);
  return why === null ? tested : { ...tested, notes: [...tested.notes, why] };
}

/** The same of a version that is known already. */
export async function testGround(
  caller: Caller,
  ground: SnapshotGround,
  { command, options, wait, commit, scenarios: asked }: Omit<TestVersionRequest, "version">,
): Promise<VersionTest> {
  const { repository, version, save, config, hasConfig, history } = ground;
  const isOwn = asked === undefined;
  const scenarios = asked ?? (hasConfig ? config.snapshot_isolation.tests : []);
  if (command === undefined && scenarios.length === 0) throw nothingToRun(ground);
  const tests: TestedExecution[] = [];
  if (command !== undefined) {
    const request = { command, options, wait, expect: {}, scenario: null, commit };
    tests.push({ name: null, kind: null, ...(await runThrowAway(caller, ground, request)) });
  }
  const notes = save === null ? [] : [ofSave(save, version.tag)];
  const comparison = await compareWithEarlier(repository, {
    place: "sandbox",
    // Of other files they would say nothing of it.
    version: save === null ? version.tagId : null,
    before: versionsBefore(history, version),
  });
  for (const scenario of command === undefined ? scenarios : []) {
    const { name, kind } = scenario;
    const timeout = isOwn ? scenario.timeout : null;
    const before = comparison.find(name);
    const isAlone = scenario.expect.worse_than_before !== null && before === undefined;
    if (isAlone) notes.push(notCompared(scenario));
    caller.progress(`Running ${name}…`);
    const execution = await runThrowAway(caller, ground, {
      options: isOwn ? options : { ...options, timeout: scenarioTime(scenario.timeout, options.timeout) },
      wait,
      command: ["/bin/sh", "-c", scenario.run],
      expect: expectationsOf(scenario, before),
      scenario: { name, kind, timeout, digest: scenarioDigest(scenario), notCompared: isAlone },
      commit,
    });
    tests.push({ name, kind, ...execution });
  }
  await comparison.keep(tests.flatMap(passedResult));
  return {
    version: version.number.text,
    commit: save?.commit ?? version.commit,
    passed: tests.every(({ passed }) => passed),
    tests,
    notes: [...notes, ...(await lfsNotes(repository, version.commit))],
  };
}

const ofSave = ({ id }: SaveBegunWith, tag: string): string =>
  `The files are those that were saved of the snapshot ${id}: this says nothing of ${tag} itself.`;

const passedResult = ({ name, passed, durationMs, resources }: TestedExecution) =>
  passed && name !== null ? [{ name, durationMs, peakMemory: resources.peakMemory ?? null }] : [];

const nothingToRun = ({ version, hasConfig }: SnapshotGround): KaiError =>
  new KaiError(
    "E122",
    hasConfig
      ? `There is nothing to run: the kai.yaml of ${version.tag} has no snapshot_isolation.tests.`
      : `${version.tag} has no kai.yaml, so it has no scenarios.`,
    {
      hint: 'Name a command behind `--`, or write a scenario: `tests: [{name: answers, run: "python3 logic.py"}]`.',
    },
  );
