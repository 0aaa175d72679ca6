// What the demo started and must not leave behind: the agent outlives the commands that start it.
import { readdirSync, readlinkSync } from "node:fs";
import path from "node:path";

const PAUSE_MS = 20;
const PATIENCE_MS = 5000;

/**
 * Kills every process of this user that works in `folder` or below it, until none is left, also one that such a process starts
 * at the last moment. Finds them by `/proc`; without it, nothing is done. Synchronous, so that it can be done on exit.
 */
export function endProcessesIn(folder) {
  const end = performance.now() + PATIENCE_MS;
  for (let quiet = 0; quiet < 2 && performance.now() < end; ) {
    const found = processesIn(folder);
    quiet = found.length === 0 ? quiet + 1 : 0;
    for (const pid of found) kill(pid);
    if (quiet < 2) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  }
}

function processesIn(folder) {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .filter((pid) => isBelow(folder, folderOf(pid)))
      .map(Number);
  } catch {
    return [];
  }
}

/** Undefined where it ended meanwhile, is a zombie, or is somebody else's. */
function folderOf(pid) {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

const isBelow = (folder, place) => place === folder || place?.startsWith(folder + path.sep);

function kill(pid) {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It was faster.
  }
}
