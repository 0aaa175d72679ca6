import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { onTestFinished } from "vitest";

export interface Scratch {
  /** An empty folder, removed when the test ends. */
  readonly dir: string;
  /** An environment that knows nothing of this machine's user: own HOME, no git or gpg configuration, UTC, C locale. */
  readonly env: NodeJS.ProcessEnv;
}

/** A folder and an environment of a test's own. */
export function scratch(): Scratch {
  const base = realpathSync(mkdtempSync(path.join(tmpdir(), "kai-test-")));
  onTestFinished(() => removeFolder(base));
  const home = path.join(base, "home");
  const dir = path.join(base, "work");
  mkdirSync(home, { mode: 0o700 });
  mkdirSync(dir);
  return { dir, env: cleanEnvironment(home) };
}

/** A process that outlives its parent, as git-lfs does to write hooks, may still put files there. */
async function removeFolder(folder: string): Promise<void> {
  for (let left = 100; ; left--) {
    try {
      return rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    } catch (cause) {
      if (left === 0 || (cause as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw cause;
      await setTimeout(50);
    }
  }
}

export function cleanEnvironment(home: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    HOME: home,
    GNUPGHOME: path.join(home, "gnupg"),
    KAI_HOME: path.join(home, "kai"),
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_AUTHOR_NAME: "Ada Agent",
    GIT_AUTHOR_EMAIL: "ada@example.com",
    GIT_COMMITTER_NAME: "Ada Agent",
    GIT_COMMITTER_EMAIL: "ada@example.com",
    LC_ALL: "C.UTF-8",
    TZ: "UTC",
  };
}
