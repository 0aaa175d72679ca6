import { constants } from "node:fs";
import { type FileHandle, open, readFile } from "node:fs/promises";
import { KaiError } from "../error.js";
import { runProcess } from "./process.js";
import { isAlive, ownIdentity } from "./process-identity.js";

export interface FileLock {
  /** To be inherited by every child that writes: the lock ends with the last holder of this descriptor. */
  readonly descriptor: number;
  release(): Promise<void>;
}

const { O_RDWR, O_CREAT, O_APPEND, O_NOFOLLOW } = constants;

/** flock(1)'s own exit status for "not within the time". */
const CONFLICT = 75;

export interface LockRequest {
  /** Who asks, and what for. */
  readonly holder: string;
  readonly waitMs: number;
  /** Gives up waiting, with what it is aborted with. */
  readonly interrupted?: AbortSignal | undefined;
}

/**
 * Locks `file` for this process and the children that inherit the descriptor. Node has no flock(2), so flock(1) of
 * util-linux locks our open descriptor and ends; the lock belongs to the open file and stays with us. The file says
 * who the `holder` is, for people: nothing is decided by it. E113 after `waitMs`, E124 where the wait is interrupted.
 */
export async function lockFile(
  file: string,
  { holder, waitMs, interrupted }: LockRequest,
  env: NodeJS.ProcessEnv,
): Promise<FileLock> {
  // In a folder that others may write to as well a link would have us empty another file.
  const handle = await open(file, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600);
  try {
    const result = await runProcess({
      file: "flock",
      args: ["--exclusive", "--wait", String(waitMs / 1000), "--conflict-exit-code", String(CONFLICT), "3"],
      env,
      inherit: [handle.fd],
      cancelled: interrupted,
      // Elsewhere: whoever looks for an agent that works in this folder must not take it for one.
      cwd: "/",
    });
    if (result.signal !== undefined) {
      interrupted?.throwIfAborted();
      // Ctrl-C at a terminal reaches flock(1) as well, and may do so first.
      throw new KaiError("E124", "The wait for another operation was interrupted.", { hint: "Nothing was changed." });
    }
    if (result.exitCode === CONFLICT) {
      const other = await describeHolder(file);
      throw new KaiError("E113", `Another operation is under way${other === "" ? "" : `: ${other}`}.`, {
        hint: `It held the lock ${file} for longer than ${waitMs / 1000} s. Wait for it to end and run the command again.`,
      });
    }
    if (result.exitCode !== 0) {
      throw new KaiError("E118", `The lock ${file} could not be taken: ${result.stderr.toString().trim()}`);
    }
    await handle.truncate(0);
    const words = `${holder} (process ${process.pid})\n${ownIdentity()}\n`;
    await handle.appendFile(words).catch((cause: NodeJS.ErrnoException) => {
      // What is locked for may be just what makes room.
      if (cause.code !== "ENOSPC" && cause.code !== "EDQUOT") throw cause;
    });
    return { descriptor: handle.fd, release: () => handle.close() };
  } catch (cause) {
    await handle.close();
    throw cause;
  }
}

/** Who holds a lock, as the file says. */
export interface LockHolder {
  /** What for; null, as the process, where whom the file names has ended: it says who held it before, or a child of theirs does. */
  readonly what: string | null;
  readonly process: number | null;
  readonly since: Date;
}

/**
 * Looks at something while nobody holds the lock of `file`, or says who does. The look keeps holders out for as long as it
 * takes, and other looks not. Undefined where it cannot be told: the file is not to be opened, or there is no flock(1).
 */
export async function lookWhileFree<T>(
  file: string,
  env: NodeJS.ProcessEnv,
  look: () => Promise<T>,
): Promise<{ readonly seen: T } | { readonly holder: LockHolder } | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file, "r");
  } catch (cause) {
    // Nobody ever locked it.
    return (cause as NodeJS.ErrnoException).code === "ENOENT" ? { seen: await look() } : undefined;
  }
  try {
    const args = ["--shared", "--nonblock", "--conflict-exit-code", String(CONFLICT), "3"];
    const { exitCode } = await runProcess({ file: "flock", args, env, inherit: [handle.fd] });
    if (exitCode === 0) return { seen: await look() };
    return exitCode === CONFLICT ? { holder: await readHolder(handle) } : undefined;
  } catch (cause) {
    if (cause instanceof KaiError && cause.code === "E117") return undefined;
    throw cause;
  } finally {
    await handle.close();
  }
}

async function readHolder(handle: FileHandle): Promise<LockHolder> {
  const { mtime: since } = await handle.stat();
  const [line = "", identity = ""] = (await handle.readFile("utf8")).split("\n");
  const { what, id } = /^(?<what>.*) \(process (?<id>\d+)\)$/.exec(line)?.groups ?? {};
  if (what === undefined || !isAlive(identity)) return { what: null, process: null, since };
  return { what, process: Number(id), since };
}

/** Who holds the lock; its process may be dead and its number somebody else's, while a child of it still writes. */
async function describeHolder(file: string): Promise<string> {
  const [holder = "", identity = ""] = (await readFile(file, "utf8").catch(() => "")).split("\n");
  if (identity === "" || isAlive(identity)) return holder;
  return `${holder}, which has ended; a process that it started is still at work`;
}
