import { KaiError } from "../error.js";
import { runProcess } from "./process.js";

/**
 * Copies what lies under these paths (latin1, below `from`) to the same paths below `to`: folders whole, links as links, by
 * reflinks where the file system has them. What goes away meanwhile is left out. E118 where a copy cannot be made.
 */
export async function copyPaths(
  from: string,
  to: string,
  paths: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  if (paths.length === 0) return;
  const copy = ["cp", "--archive", "--reflink=auto", "--parents", `--target-directory=${to}`, "--"];
  const { exitCode, stderr } = await runProcess({
    file: "xargs",
    args: ["--null", ...copy],
    cwd: from,
    env: { PATH: env["PATH"], LC_ALL: "C" },
    input: Buffer.from(paths.map((each) => `./${each}\0`).join(""), "latin1"),
  });
  const failures = stderr
    .toString()
    .split("\n")
    .filter((line) => line !== "" && !line.endsWith(GONE));
  if (exitCode === 0 || failures.length === 0) return;
  throw new KaiError("E118", `${from} could not be copied: ${failures[0]?.replace(/^cp: /, "")}`, {
    hint: `Nothing was changed. It was to be copied to ${to}; mend what keeps it from that, and run it again.`,
  });
}

const GONE = ": No such file or directory";
