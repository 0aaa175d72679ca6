import { KaiError } from "../../error.js";
import { type ManyTested, type TestedOfRange, testMany } from "../../snapshot/testing/test-many.js";
import { type TestedExecution, testVersion, type VersionTest } from "../../snapshot/testing/test-version.js";
import type { CommandContext } from "../context.js";
import { commandLine, defineCommand, flag, required } from "../define-command.js";
import { committedLines, warnUnenforced } from "../describe-snapshot.js";
import { formatDuration } from "../format-time.js";
import type { Output } from "../output.js";
import { withSnapshotCaller } from "../snapshot-caller.js";
import { commitFrom, commitOptions, isolationOptions, optionsFrom } from "../snapshot-options.js";
import { formatTable } from "../table.js";

export const snapshotTestCommand = defineCommand({
  name: "snapshot test",
  summary: "Try a version in a throw-away container, or many side by side",
  description:
    "Runs the scenarios of the version's own kai.yaml (snapshot_isolation.tests), or the command behind --, over the version's files in a Podman container, isolated as that kai.yaml says, and each in one of its own that is gone afterwards. Of a range, V1..V2, all versions are tested side by side by the scenarios of the last one; --bisect tests only as many as it takes to find the first that fails. One that cannot be tested, because it asks for what this machine does not have, say, is told with the reason, and passed over. Results are kept, signed, on refs/kai/runs. It ends with 1 when one fails or cannot be tested.",
  arguments: {
    version: required("the version, `current`, a commit such as HEAD, or a range such as 1.0.0..1.4.0"),
    command: commandLine("what to run instead of the scenarios"),
  },
  options: {
    bisect: flag("of a range: find the first version that fails"),
    ...commitOptions,
    ...isolationOptions,
  },
  examples: [
    { line: "git kai-version snapshot test 1.2.0", does: "runs its scenarios" },
    { line: "git kai-version snapshot test HEAD", does: "runs those of a commit that is no version yet" },
    { line: "git kai-version snapshot test 1.2.0 -- python3 logic.py --ask hello", does: "runs one command in it" },
    { line: "git kai-version snapshot test 1.0.0..1.4.0 --bisect", does: "finds the version that broke it" },
  ],
  async run({ version, command, bisect, noWait, commit, allowExecutable, message, ...input }, context) {
    const [program, ...args] = command;
    const request = {
      command: program === undefined ? undefined : ([program, ...args] as const),
      options: optionsFrom(input),
      wait: !noWait,
      commit: commitFrom({ commit, allowExecutable, message }),
    };
    const [from, to, ...more] = version.split("..");
    if (to === undefined) {
      if (bisect)
        throw new KaiError("E122", "--bisect takes a range of versions.", { hint: "Name it: `1.0.0..1.4.0`" });
      const tested = await withSnapshotCaller(context, (caller) => testVersion(caller, { ...request, version }));
      return report(context, tested, program !== undefined);
    }
    if (!from || !to || more.length > 0) {
      throw new KaiError("E122", `${version} is no range of versions.`, {
        hint: "Name the first and the last: `1.0.0..1.4.0`",
      });
    }
    const tested = await withSnapshotCaller(context, (caller) =>
      testMany(caller, {
        ...request,
        from,
        to,
        bisect,
        onTested: (done) => context.output.progress(`${done.version}: ${resultOf(done)}`),
      }),
    );
    tellOnce(context, tested.versions);
    context.output.result(tested, describeMany);
    if (!tested.passed || isRefused(tested.versions)) process.exitCode = 1;
  },
});

/** What is to be known of the results beside them, each thing once. */
function tellOnce({ output }: CommandContext, tests: readonly VersionTest[]): void {
  for (const note of new Set(tests.flatMap(({ notes }) => notes))) output.warn(note);
  const unenforced = tests.flatMap((test) => test.tests.flatMap((each) => each.unenforced));
  warnUnenforced(output, unenforced);
  for (const { name, notCommitted } of tests.flatMap((test) => test.tests)) {
    if (notCommitted !== null) output.warn(`What ${name ?? "the command"} changed was not committed: ${notCommitted}`);
  }
}

function report(context: CommandContext, tested: VersionTest, single: boolean): void {
  tellOnce(context, [tested]);
  const document = { ...(single ? tested.tests[0] : {}), ...tested };
  context.output.result(document, (shown, output) => describe(shown, single, output));
  if (!tested.passed || isRefused([tested])) process.exitCode = 1;
}

const isRefused = (tests: readonly VersionTest[]): boolean =>
  tests.some((version) => version.tests.some(({ notCommitted }) => notCommitted !== null));

/** Lines of output shown of a scenario that failed. */
const SHOWN_LINES = 15;

function describe({ version, passed, tests }: VersionTest, single: boolean, { style }: Output): string {
  const lines: string[] = [];
  for (const test of tests) {
    if (single) lines.push(...printed(test));
    const mark = test.passed ? style.green("✓") : style.red("✗");
    lines.push(`${mark} ${test.name ?? "command"}  ${outcome(test)}  ${style.dim(formatDuration(test.durationMs))}`);
    for (const failure of test.failures) lines.push(`    ${style.red(failure)}`);
    lines.push(...committedLines(test, style).map((line) => `    ${line}`));
    if (!test.passed && !single) lines.push(...printed(test).map((line) => `    ${style.dim(line)}`));
  }
  const good = tests.filter((test) => test.passed).length;
  lines.push(
    `${passed ? style.green("✓") : style.red("✗")} ${style.bold(version)}: ${good} of ${tests.length} passed, in a container that is gone again.`,
  );
  return lines.join("\n");
}

/** A row a version, a column a scenario. */
function describeMany({ versions, firstBad, lastGood, untested }: ManyTested, { style, columns }: Output): string {
  const names = versions.find(({ error }) => error === null)?.tests.map(({ name }) => name ?? "command") ?? [];
  const rows = versions.map(({ tests, ...tested }) => [
    style.bold(tested.version),
    tested.passed ? style.green(resultOf(tested)) : style.red(resultOf(tested)),
    ...tests.map((test) => (test.passed ? `✓ ${formatDuration(test.durationMs)}` : style.red(`✗ ${outcome(test)}`))),
  ]);
  const titles = ["VERSION", "RESULT", ...names].map((title) => ({ title }));
  const committed = versions.flatMap(({ version, tests }) =>
    tests.flatMap((test) =>
      committedLines(test, style).map((line) => `\n${version} ${test.name ?? "command"}: ${line}`),
    ),
  );
  const errors = versions.flatMap(({ version, error }) =>
    error === null
      ? []
      : [`\n${version} could not be tested (${error.code}): ${error.message} ${error.hint ?? ""}`.trimEnd()],
  );
  const table = [formatTable(titles, rows, columns), ...committed, ...errors].join("");
  if (firstBad === null && errors.length > 0)
    return `${table}\n\n${untested > 0 ? "An end could not be tested, so there is nothing to search for." : "All others passed."}`;
  if (firstBad === null && untested > 0)
    return `${table}\n\nBoth ends passed, so there is nothing to search for: ${untested} between them ${untested === 1 ? "was" : "were"} not tested. Without \`--bisect\` all are.`;
  if (firstBad === null) return `${table}\n\nAll of them passed.`;
  const after = lastGood === null ? "" : `, after ${lastGood}, which is good`;
  const between = errors.length === 0 ? "" : " What could not be tested was passed over: it may be bad, too.";
  return `${table}\n\nThe first bad one is ${style.bold(firstBad)}${after}.${between}`;
}

const resultOf = ({ passed, error }: Pick<TestedOfRange, "passed" | "error">): string =>
  error !== null ? "error" : passed ? "passed" : "failed";

function outcome(test: TestedExecution): string {
  if (test.timedOut) return "out of time";
  if (test.oomKilled) return "out of memory";
  return test.exitCode === 0 && !test.passed ? "not as expected" : `exit ${test.exitCode}`;
}

const printed = (test: TestedExecution): string[] =>
  `${test.stdout}${test.stderr}`
    .trimEnd()
    .split("\n")
    .filter((line, index, all) => line !== "" || all.length > 1 || index > 0)
    .slice(-SHOWN_LINES);
