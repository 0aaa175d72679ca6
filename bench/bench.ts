import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import path from "node:path";

export interface BenchFolders {
  /** Kept between runs. */
  readonly cache: string;
  /** The program's file, bundled as it ships. */
  readonly program: string;
  /** The bench's own bundled files. */
  readonly bench: string;
}

export interface Ran {
  readonly ms: number;
  readonly stdout: string;
}

/** Starts programs in an environment that knows nothing of this machine's user, and times them. */
export class Bench {
  readonly folders: BenchFolders;
  readonly env: NodeJS.ProcessEnv;

  constructor(folders: BenchFolders, home: string) {
    this.folders = folders;
    this.env = {
      PATH: process.env["PATH"],
      HOME: home,
      KAI_HOME: path.join(home, "kai"),
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_AUTHOR_NAME: "Ada Agent",
      GIT_AUTHOR_EMAIL: "ada@example.com",
      GIT_COMMITTER_NAME: "Ada Agent",
      GIT_COMMITTER_EMAIL: "ada@example.com",
      LC_ALL: "C.UTF-8",
      TZ: "UTC",
      // Nothing may clean up in the background while something is timed.
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "gc.auto",
      GIT_CONFIG_VALUE_0: "0",
    };
  }

  /** Runs the program and gives the milliseconds that it took, its output thrown away. */
  kai(cwd: string, ...args: readonly string[]): number {
    return this.time(cwd, process.execPath, [this.folders.program, ...args]);
  }

  git(cwd: string, ...args: readonly string[]): number {
    return this.time(cwd, "git", args);
  }

  /** What every floor holds: the start of Node. */
  node(cwd: string): number {
    return this.time(cwd, process.execPath, ["-e", "0"]);
  }

  time(
    cwd: string,
    file: string,
    args: readonly string[],
    options: { env?: NodeJS.ProcessEnv; input?: string } = {},
  ): number {
    const started = performance.now();
    const run = spawnSync(file, [...args], {
      cwd,
      env: { ...this.env, ...options.env },
      input: options.input,
      stdio: [options.input === undefined ? "ignore" : "pipe", "ignore", "pipe"],
    });
    const ms = performance.now() - started;
    requireSuccess(file, args, run);
    return ms;
  }

  /**
   * Milliseconds until a command that is run somewhere inside said something: `date +%s%N`, whose clock is this one. The rest
   * until the end is not counted.
   */
  untilSaid(cwd: string, file: string, args: readonly string[]): number {
    const started = Date.now();
    return Number(this.read(cwd, file, args).trim()) / 1e6 - started;
  }

  /** Waits until the disk holds what was written: files that were never on it cost nothing to replace. */
  settle(): void {
    requireSuccess("sync", [], spawnSync("sync"));
  }

  /** Runs a program and gives what it printed. */
  read(cwd: string, file: string, args: readonly string[], options: { env?: NodeJS.ProcessEnv; input?: string } = {}) {
    const run = spawnSync(file, [...args], {
      cwd,
      env: { ...this.env, ...options.env },
      input: options.input ?? "",
      maxBuffer: 1 << 30,
    });
    requireSuccess(file, args, run);
    return run.stdout.toString();
  }

  /** The most memory that the program's own process held at a time, in bytes. */
  peakMemory(cwd: string, ...args: readonly string[]): number {
    // Of the address space itself: what the system counts for a process begins with its parent's.
    const hook =
      "process.on('exit',()=>fs.writeSync(3,/VmHWM:\\s*(\\d+)/.exec(fs.readFileSync('/proc/self/status'))[1]))";
    const loader = `data:text/javascript,import fs from"node:fs";${hook}`;
    const run = spawnSync(process.execPath, ["--import", loader, this.folders.program, ...args], {
      cwd,
      env: this.env,
      stdio: ["ignore", "ignore", "pipe", "pipe"],
    });
    requireSuccess("git-kai-version", args, run);
    return Number(run.output[3]?.toString()) * 1024;
  }
}

function requireSuccess(file: string, args: readonly string[], run: SpawnSyncReturns<Buffer>): void {
  if (run.status === 0) return;
  const words = args.slice(0, 4).join(" ");
  throw new Error(`${file} ${words} ended with ${run.status ?? run.signal}: ${run.error ?? run.stderr?.toString()}`);
}
