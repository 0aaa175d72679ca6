import { execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { Ran } from "./agent.js";

/** A place to write in that can be made as full as a test wants it. */
export interface SmallDisk {
  /** As programs see it that `run` starts. */
  readonly dir: string;
  /** The same folder as this process sees it. */
  readonly seen: string;
  /** From now on there is so much room: in pages of the disk, or in sixteenths of one for each file. */
  leave(room: number): void;
  run(file: string, args: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }): Promise<Ran>;
}

/** More than any test writes. */
const SIZE = 16 * 1024 * 1024;

/** Bytes: most of what git and we write is much smaller than a page. */
const FILE_STEP = 256;

/**
 * Root needs no user namespace, where it may mount at all; anybody else needs one, where the system grants it, and sees no
 * process outside it then: git at work there could not be looked into.
 */
const NAMESPACES = [
  { make: ["--mount"], enter: ["--mount"] },
  {
    make: ["--map-root-user", "--mount", "--pid", "--fork", "--kill-child"],
    enter: ["--user", "--preserve-credentials", "--mount", "--pid"],
  },
] as const;
type Namespaces = (typeof NAMESPACES)[number];

/** Says its process id, as it is outside, when all is mounted. */
const MOUNT = `read -r id rest </proc/self/stat &&
{ [ "$$" != 1 ] || mount -t proc proc /proc; } &&
mount -t tmpfs -o size=${SIZE} kai-test "$1" && echo "$id" && exec cat`;
const RUN = 'cd "$1" && shift && exec "$@"';

/**
 * An empty small disk, gone when the test ends: a tmpfs that nobody else sees. Where the machine lets nobody mount one, or
 * `disk` is false, a folder in which no file may become larger than there is room.
 */
export async function smallDisk({ disk = true } = {}): Promise<SmallDisk> {
  const base = realpathSync(mkdtempSync(path.join(tmpdir(), "kai-disk-")));
  onTestFinished(() => rmSync(base, { recursive: true, force: true, maxRetries: 3 }));
  const dir = path.join(base, "disk");
  mkdirSync(dir);
  for (const namespaces of disk ? NAMESPACES : []) {
    const id = await mountIn(namespaces, dir);
    if (id !== undefined) return mountedDisk(id, namespaces, dir);
  }
  return limitedFolder(dir);
}

/** The process that keeps the mount, which goes with it; undefined where it could not be made. */
async function mountIn({ make }: Namespaces, dir: string): Promise<number | undefined> {
  const holder = spawn("unshare", [...make, "sh", "-c", MOUNT, "sh", dir], { stdio: ["pipe", "pipe", "ignore"] });
  const id = await new Promise<number | undefined>((resolve) => {
    holder.stdout.once("data", (chunk: Buffer) => resolve(Number(chunk.toString())));
    holder.once("close", () => resolve(undefined));
    holder.once("error", () => resolve(undefined));
  });
  if (id !== undefined) {
    onTestFinished(
      () =>
        new Promise<void>((resolve) => {
          holder.once("close", () => resolve());
          holder.stdin.end();
        }),
    );
  }
  return id;
}

function mountedDisk(id: number, { enter }: Namespaces, dir: string): SmallDisk {
  const inside = ["--target", `${id}`, ...enter, "sh", "-c", RUN, "sh"];
  const seen = `/proc/${id}/root${dir}`;
  const ballast = path.join(seen, "ballast");
  return {
    dir,
    seen,
    leave(room) {
      rmSync(ballast, { force: true });
      const { bavail, bsize } = statfsSync(seen);
      writeFileSync(ballast, Buffer.alloc((bavail - room) * bsize));
    },
    run: (file, args, { cwd, env }) => start("nsenter", [...inside, cwd, file, ...args], env, cwd),
  };
}

function limitedFolder(dir: string): SmallDisk {
  let limit = SIZE;
  return {
    dir,
    seen: dir,
    leave(room) {
      limit = room * FILE_STEP;
    },
    run: (file, args, { cwd, env }) =>
      start(
        "prlimit",
        [`--fsize=${limit}:${limit}`, "--core=0:0", "sh", "-c", RUN, "sh", cwd, file, ...args],
        env,
        cwd,
      ),
  };
}

function start(file: string, args: readonly string[], env: NodeJS.ProcessEnv, dir: string): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = execFile(file, args, { env, encoding: "utf8" }, (error, stdout, stderr) => {
      if (error && typeof error.code !== "number" && !error.signal) return reject(error);
      resolve(new Ran(stdout, stderr, error?.signal ?? Number(error?.code ?? 0), dir));
    });
    child.stdin?.end();
  });
}
