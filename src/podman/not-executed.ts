import { KaiError } from "../error.js";
import { isAlive } from "../system/process-identity.js";
import { type GroupFile, readGroupFile } from "./container-group.js";
import type { RunningContainer } from "./start-container.js";

const RUNNING: GroupFile = { controller: "pids", first: "pids.current", second: "pids.current" };
const MOST: GroupFile = { controller: "pids", first: "pids.max", second: "pids.max" };

/** Letters quoted of what was said. */
const MOST_SAID = 300;

/** What the runtime needs of them, to begin an execution. */
const NEEDED = 16;

/** Whether podman said that the shell by which commands are begun is not in the container. */
export const lacksShell = (words: string): boolean => /"\/bin\/sh": .*no such file/.test(words);

/** Why a command did not begin in a container that runs, by what podman said. E103; E122 for a folder that is not there. */
export function notExecuted(container: RunningContainer, workdir: string | undefined, words: string): KaiError {
  if (workdir !== undefined && /\bchdir to cwd\b/.test(words)) {
    const why = words.includes("permission denied") ? "may not be entered" : "is not there";
    return new KaiError("E122", `The folder ${workdir} ${why} in the sandbox.`, {
      hint: "--workdir names one inside; the agent's files are in /app.",
    });
  }
  const [running, most] = [RUNNING, MOST].map((file) => Number(readGroupFile(container, file)));
  if (running !== undefined && most !== undefined && running > most - NEEDED) {
    return new KaiError(
      "E103",
      `No further command can begin in the sandbox: ${running} of the ${most} processes and threads that it may have are there.`,
      { hint: "`snapshot destroy` ends them, and `snapshot create --pids` makes one that may have more." },
    );
  }
  // Podman writes what the runtime said to it as one line, behind its own name for it.
  const said = (words.trim().split("\n").at(-1) ?? "").replace(/^Error: (?:runc: )?/, "").slice(0, MOST_SAID);
  return new KaiError("E103", `The command could not begin in the sandbox: ${said || "nothing says why"}`, {
    hint: "`git kai-version snapshot show ID` shows its state.",
  });
}

/** What podman, or the runtime, ends with where it could not execute anything, as a command may too. */
const REFUSALS = [125, 255];

/** E103 where podman refused because the container does not run; `stderr` where it was kept. */
export function requireExecuted(container: RunningContainer, exitCode: number | undefined, stderr = ""): void {
  if (!REFUSALS.includes(exitCode ?? 0)) return;
  const paused = /^Error: .*container state improper$|in a paused container/m.test(stderr);
  if (!paused && isAlive(container.process)) return;
  throw new KaiError("E103", `The sandbox ${container.name} ${paused ? "is paused, or ends" : "does not run"}.`, {
    hint: paused
      ? `\`podman unpause ${container.name}\` lets it go on, if somebody paused it by hand; else try again in a moment.`
      : "`git kai-version snapshot list` shows its state.",
  });
}
