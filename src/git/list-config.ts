import type { Repository } from "./repository.js";
import { runGit } from "./run-git.js";

/** A setting as git has it in effect: its section and name in small letters. */
export interface GitSetting {
  readonly key: string;
  /** Empty where a setting has none. */
  readonly value: string;
  /** The file that it is in; null where it was given otherwise. */
  readonly file: string | null;
}

/** All of git's configuration, each setting as often as it is there, those of the files it includes among them. */
export async function listConfig(repository: Repository): Promise<GitSetting[]> {
  const out = await runGit(repository, ["config", "--list", "-z", "--show-origin"]);
  const parts = out.toString().split("\0");
  const settings: GitSetting[] = [];
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const [origin = "", setting = ""] = parts.slice(index, index + 2);
    const end = setting.includes("\n") ? setting.indexOf("\n") : setting.length;
    const file = origin.startsWith("file:") ? origin.slice("file:".length) : null;
    settings.push({ key: setting.slice(0, end), value: setting.slice(end + 1), file });
  }
  return settings;
}
