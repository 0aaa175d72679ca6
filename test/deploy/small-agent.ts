import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createVersion } from "../../src/snapshot/gate/create-version.js";
import { generateKey, kaiHome } from "../../src/trust/key-store.js";
import { openSigner } from "../../src/trust/signer.js";
import { initAgent } from "../../src/version/init.js";
import { scratch } from "../support/scratch.js";

const NOW = new Date("2026-03-02T09:00:00Z");

export interface SmallAgent {
  readonly dir: string;
  readonly env: NodeJS.ProcessEnv;
  git(...args: string[]): string;
  /** Writes files; undefined removes one. */
  write(files: Readonly<Record<string, string | undefined>>): void;
  /** Writes files and commits all that is not ignored. */
  commit(message: string, files: Readonly<Record<string, string | undefined>>): void;
  /** Makes a version in this process: quicker than by the program. */
  create(exact?: string): Promise<void>;
}

const caller = (dir: string, env: NodeJS.ProcessEnv) => ({
  cwd: dir,
  env,
  now: () => NOW,
  progress: () => {},
  onRecovered: () => {},
});

/** An agent that `init` has founded, with `files` beside a kai.yaml of `config`; no version yet. */
export async function smallAgent(
  files: Readonly<Record<string, string>>,
  config = "version_management:\n  artifacts:\n    state: {include: [state.json]}\n",
): Promise<SmallAgent> {
  const { dir, env } = scratch();
  const git = (...args: string[]) => execFileSync("git", args, { cwd: dir, env, encoding: "utf8" }).trimEnd();
  const write: SmallAgent["write"] = (contents) => {
    for (const [name, text] of Object.entries(contents)) {
      const file = path.join(dir, name);
      mkdirSync(path.dirname(file), { recursive: true });
      if (text === undefined) rmSync(file);
      else writeFileSync(file, text);
    }
  };
  const agent: SmallAgent = {
    dir,
    env,
    git,
    write,
    commit(message, contents) {
      write(contents);
      git("add", "--all");
      git("commit", "--quiet", "--allow-empty", "-m", message);
    },
    async create(exact) {
      const { parseNumber } = await import("../../src/version/number.js");
      await createVersion(caller(dir, env), {
        type: undefined,
        bump: undefined,
        exact: exact === undefined ? undefined : parseNumber(exact),
        description: undefined,
        tags: [],
        includeChanges: false,
        allowUnchanged: false,
        moveCurrent: true,
        trustCommands: false,
        dryRun: false,
      });
    },
  };
  git("init", "--quiet", "--initial-branch=main");
  agent.commit("feat: begin", {
    ".gitignore": "state.json\n",
    "kai.yaml": `agent_id: ai.example.small\n${config}`,
    ...files,
  });
  const home = kaiHome(env);
  await generateKey({ home, name: "Ada Agent", email: "ada@example.com", passphrase: undefined, at: NOW });
  await initAgent(
    { ...caller(dir, env), openOrMakeKey: async () => ({ signer: await openSigner({ home, env }), made: false }) },
    { agentId: undefined, commit: true, newRoot: false },
  );
  return agent;
}
