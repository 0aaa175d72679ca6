import { KaiError } from "../error.js";
import { runProcess } from "../system/process.js";
import { podmanEnvironment } from "./podman.js";

/**
 * Runs one of the system's programs, those of its administrator too, and gives what it printed. Throws E103 in its own words
 * where it fails, E117 where it is missing.
 */
export async function hostTool(
  [file, ...args]: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const { exitCode, stdout, stderr } = await runProcess({ file, args, env: podmanEnvironment(env) });
  if (exitCode === 0) return stdout.toString();
  throw new KaiError("E103", `${file}: ${stderr.toString().trim().split("\n")[0]}`, {
    hint: "`git kai-version doctor` shows what this machine lacks.",
  });
}
