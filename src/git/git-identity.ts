import { runProcess } from "../system/process.js";

export interface GitIdentity {
  name: string | undefined;
  email: string | undefined;
}

/**
 * The committer's name and address as the environment, or else git's own configuration seen from `cwd`, sets them; nothing
 * is guessed. E117 without git.
 */
export async function gitIdentity(cwd: string, env: NodeJS.ProcessEnv): Promise<GitIdentity> {
  const args = ["config", "--null", "--get-regexp", "^user\\.(name|email)$"];
  const { stdout } = await runProcess({ file: "git", args, cwd, env });
  const settings = new Map<string, string>();
  for (const entry of stdout.toString("utf8").split("\0")) {
    const end = entry.indexOf("\n");
    // The last one counts: git lists the wider configuration first.
    if (end > 0) settings.set(entry.slice(0, end), entry.slice(end + 1));
  }
  return {
    name: env["GIT_COMMITTER_NAME"] || settings.get("user.name") || undefined,
    email: env["GIT_COMMITTER_EMAIL"] || settings.get("user.email") || undefined,
  };
}
