import path from "node:path";
import { parseAgentConfig } from "../../agent/config.js";
import { KaiError } from "../../error.js";
import { tryGit } from "../../git/run-git.js";
import { kaiFolderOf } from "../../operation/kai-folder.js";
import { compareWithEarlier } from "../../snapshot/earlier-results.js";
import { type TestedExecution, testVersion, type VersionTest } from "../../snapshot/test-version.js";
import { kaiHome } from "../../trust/key-store.js";
import { findAsked } from "../../version/find-asked.js";
import { readAgentHistory } from "../../version/reading.js";
import { versionsBefore } from "../../version/versions-before.js";
import { tellConfigGone } from "../caller.js";
import type { CommandContext } from "../context.js";
import { commandLine, defineCommand, required } from "../define-command.js";
import { formatDuration } from "../format-time.js";
import { interruptible } from "../interruption.js";
import type { Output } from "../output.js";
import { printable } from "../style.js";

export const snapshotTestCommand = defineCommand({
  name: "snapshot test",
  summary: "Try a version in a throw-away container",
  description:
    "Runs the scenarios of the version's own kai.yaml (snapshot_isolation.tests), or the command behind --, over the version's files in a Podman container without network, capabilities or anything of this machine but its programs. Nothing of it stays. It ends with 1 when one fails.",
  arguments: {
    version: required("the version, or `current`"),
    command: commandLine("what to run instead of the scenarios"),
  },
  examples: [
    { line: "git kai-version snapshot test 1.2.0", does: "runs its scenarios" },
    { line: "git kai-version snapshot test 1.2.0 -- python3 logic.py --ask hello", does: "runs one command in it" },
  ],
  async run({ version: asked, command }, context) {
    const { agent, history } = await readAgentHistory(context.cwd, context.env, tellConfigGone(context));
    const version = findAsked(history, asked);
    const shown = await tryGit(agent.repository, ["cat-file", "blob", `${version.commit}:kai.yaml`]);
    if (shown.exitCode !== 0 && command.length === 0) {
      throw new KaiError("E122", `${version.tag} has no kai.yaml, so it has no scenarios.`, {
        hint: "Name a command behind `--`.",
      });
    }
    const config =
      shown.exitCode === 0 ? parseAgentConfig(shown.stdout.toString(), `${version.tag}:kai.yaml`) : agent.config;
    const comparison = await compareWithEarlier(agent.repository, {
      place: "sandbox",
      version: version.tagId,
      before: versionsBefore(history, version),
    });
    const tested = await interruptible((signal) =>
      testVersion({
        repository: agent.repository,
        commit: version.commit,
        config,
        command: command.length === 0 ? undefined : command,
        comparison,
        env: context.env,
        kaiDir: kaiFolderOf(agent.repository).root,
        cacheDir: path.join(kaiHome(context.env), "cache"),
        now: context.now,
        signal,
        progress: context.output.progress,
      }),
    );
    report(context, version.number.text, tested, command.length > 0);
    if (!tested.passed) process.exitCode = 1;
  },
});

function report(context: CommandContext, version: string, tested: VersionTest, single: boolean): void {
  const { output } = context;
  for (const note of tested.notes) output.warn(note);
  for (const limit of new Set(tested.tests.flatMap((test) => test.unenforced)))
    output.warn(`Not enforced here: ${limit}`);
  const document = { version, ...tested, ...(single ? tested.tests[0] : {}) };
  output.result(document, () => describe(version, tested, single, output));
}

/** Lines of output shown of a scenario that failed. */
const SHOWN_LINES = 15;

function describe(version: string, tested: VersionTest, single: boolean, { style }: Output): string {
  const lines: string[] = [];
  for (const test of tested.tests) {
    if (single) lines.push(...printed(test));
    const mark = test.passed ? style.green("✓") : style.red("✗");
    lines.push(
      `${mark} ${test.name === null ? "command" : printable(test.name)}  ${outcome(test)}  ${style.dim(formatDuration(test.durationMs))}`,
    );
    for (const failure of test.failures) lines.push(`    ${style.red(printable(failure))}`);
    if (!test.passed && !single) lines.push(...printed(test).map((line) => `    ${style.dim(line)}`));
  }
  const passed = tested.tests.filter((test) => test.passed).length;
  lines.push(
    `${tested.passed ? style.green("✓") : style.red("✗")} ${style.bold(version)}: ${passed} of ${tested.tests.length} passed, in a container that is gone again.`,
  );
  return lines.join("\n");
}

function outcome(test: TestedExecution): string {
  if (test.timedOut) return "out of time";
  if (test.oomKilled) return "out of memory";
  return `exit ${test.exitCode}`;
}

const printed = (test: TestedExecution): string[] =>
  printable(`${test.stdout}${test.stderr}`)
    .trimEnd()
    .split("\n")
    .filter((line, index, all) => line !== "" || all.length > 1 || index > 0)
    .slice(-SHOWN_LINES);
