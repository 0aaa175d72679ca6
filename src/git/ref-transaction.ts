import type { ChildProcess } from "node:child_process";
import { closed, spawnProgram } from "../system/process.js";
import { type Repository, zeroId } from "./repository.js";
import type { GitOptions } from "./run-git.js";
import { gitFailure, runGit } from "./run-git.js";

/** One ref from `old` to `new`; null stands for "does not exist". The same on both sides: held, not changed. */
export interface RefChange {
  readonly ref: string;
  readonly old: string | null;
  readonly new: string | null;
}

/** Every loose ref and the packed file are synced before they are renamed into place. */
export const SYNCED_REFS = ["core.fsync=reference,loose-object,pack,pack-metadata", "core.fsyncMethod=fsync"] as const;

/** Changes refs at once, or none; E116 or E113 where one is not at its old value or is locked. */
export async function updateRefs(
  repository: Repository,
  changes: readonly RefChange[],
  options: GitOptions = {},
): Promise<void> {
  if (changes.length === 0) return;
  await runGit(repository, ["update-ref", "--stdin", "-z"], {
    ...options,
    config: [...SYNCED_REFS, ...(options.config ?? [])],
    input: `start\0${instructions(repository, changes)}commit\0`,
  });
}

/**
 * A git process that changes refs, one transaction after the other, and is started before there is one. The last may be prepared:
 * its refs are all locked and checked, and while it waits for its one word every other git process that wants one of them fails
 * cleanly.
 */
export class RefTransactions {
  readonly #repository: Repository;
  readonly #child: ChildProcess;
  readonly #end: Promise<[number | null, NodeJS.Signals | null]>;
  readonly #stderr: Buffer[] = [];

  constructor(repository: Repository, inherit: readonly number[]) {
    this.#repository = repository;
    this.#child = spawnProgram({
      file: "git",
      args: [...SYNCED_REFS.flatMap((setting) => ["-c", setting]), "update-ref", "--stdin", "-z"],
      cwd: repository.workTree ?? repository.gitDir,
      env: repository.env,
      inherit,
    });
    this.#end = closed(this.#child, "git");
    this.#end.catch(() => {});
    this.#child.stderr?.on("data", (chunk: Buffer) => this.#stderr.push(chunk));
    this.#child.stdin?.on("error", () => {});
  }

  /** Changes refs at once, or none. */
  async run(changes: readonly RefChange[]): Promise<void> {
    await this.#say(`start\0${instructions(this.#repository, changes)}commit\0`, "commit: ok");
  }

  async prepare(changes: readonly RefChange[]): Promise<void> {
    await this.#say(`start\0${instructions(this.#repository, changes)}prepare\0`, "prepare: ok");
  }

  /** Moves all refs of the prepared transaction, and ends. */
  async commit(): Promise<void> {
    await this.#say("commit\0", "commit: ok");
    this.#child.stdin?.end();
    await this.#end;
  }

  /** Ends where nothing is prepared. */
  async close(): Promise<void> {
    this.#child.stdin?.end();
    await this.#end.catch(() => {});
  }

  /** Lets go of all refs, unchanged, and ends. */
  async abort(): Promise<void> {
    this.#child.stdin?.end("abort\0");
    await this.#end.catch(() => {});
  }

  async #say(words: string, answer: string): Promise<void> {
    const heard = this.#hear(answer);
    this.#child.stdin?.write(words);
    const failed = this.#end.then(([exitCode, signal]) => {
      throw gitFailure(["update-ref"], {
        stderr: Buffer.concat(this.#stderr),
        exitCode: exitCode ?? undefined,
        signal: signal ?? undefined,
      });
    });
    await Promise.race([heard, failed]);
    failed.catch(() => {});
  }

  #hear(answer: string): Promise<void> {
    return new Promise((resolve) => {
      let text = "";
      const listen = (chunk: Buffer) => {
        text += chunk.toString();
        if (!text.includes(answer)) return;
        this.#child.stdout?.off("data", listen);
        resolve();
      };
      this.#child.stdout?.on("data", listen);
    });
  }
}

function instructions(repository: Repository, changes: readonly RefChange[]): string {
  return changes.map((change) => `${followed(change)}${instruction(repository, change)}`).join("");
}

/** A branch may be another name of one; any other ref that was made to lead to a tag is not to move that. */
const followed = ({ ref }: RefChange): string => (ref.startsWith("refs/heads/") ? "" : "option no-deref\0");

function instruction(repository: Repository, { ref, old, new: next }: RefChange): string {
  const zero = zeroId(repository.objectFormat);
  if (old === next) return `verify ${ref}\0${old ?? zero}\0`;
  if (next === null) return `delete ${ref}\0${old ?? ""}\0`;
  return `update ${ref}\0${next}\0${old ?? zero}\0`;
}
