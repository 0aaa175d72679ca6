import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { onTestFinished } from "vitest";

/** What runs at the same time has a stranger of its own: limits of processes count all of a user's. */
const WORKER = Number(process.env["VITEST_POOL_ID"] ?? 0);
const IDS = 65_536;
/** A user whom nobody knows. */
const STRANGER = 54_321 + WORKER;
/** Where their subordinate ids begin. */
const SUBORDINATE = 500_000 + WORKER * IDS;

export interface Stranger {
  /** What runs a program of Node's as this user: `[file, ...arguments]`. */
  command(program: string, ...args: readonly string[]): [string, ...string[]];
  /** What belongs to the program's environment beside the rest. */
  env: NodeJS.ProcessEnv;
  /** Their number. */
  user: number;
}

/**
 * Somebody else than whoever runs the test, which is root: with subordinate ids for this one test, given by files that are
 * mounted over the system's own where nobody else sees it. `base` is made over to them, and removed when the test ends. Node
 * is shown where that user can reach it.
 */
export function strangerIn(base: string, home: string): Stranger {
  const runtime = path.join(base, "run");
  const node = path.join(base, "node");
  mkdirSync(runtime, { mode: 0o700 });
  writeFileSync(node, "");
  execFileSync("mknod", ["-m", "666", path.join(base, "tun"), "c", "10", "200"]);
  const ids = `stranger:${SUBORDINATE}:${IDS}\n`;
  const given = { subuid: ids, subgid: ids };
  const passwd = `${readFileSync("/etc/passwd", "utf8")}stranger:x:${STRANGER}:${STRANGER}::${home}:/bin/sh\n`;
  const shown = Object.entries({ ...given, passwd }).map(([name, text]) => {
    writeFileSync(path.join(base, name), text, { mode: 0o644 });
    return `mount --bind '${base}/${name}' /etc/${name}`;
  });
  execFileSync("chown", ["-R", `${STRANGER}:${STRANGER}`, base]);
  onTestFinished(() => {
    // Podman keeps a process for the user, which would go on with these ids.
    const pause = path.join(runtime, "libpod/tmp/pause.pid");
    if (existsSync(pause)) process.kill(Number(readFileSync(pause, "utf8")));
    rmSync(base, { recursive: true, force: true });
  });
  const script = [
    ...shown,
    // What networks of ordinary users need, and everybody may open on most machines.
    `mount --bind '${base}/tun' /dev/net/tun`,
    `mount --bind '${process.execPath}' '${node}'`,
    `exec setpriv --reuid ${STRANGER} --regid ${STRANGER} --clear-groups "$@"`,
  ].join(" && ");
  return {
    command: (program, ...args) => ["unshare", "--mount", "sh", "-c", script, "sh", node, program, ...args],
    env: { XDG_RUNTIME_DIR: runtime },
    user: STRANGER,
  };
}
