// An environment that knows nothing of the user who runs it: own home, no keys, no configuration.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const KEPT =
  /^(PATH|LANG|LC_.*|TERM|COLORTERM|NO_COLOR|FORCE_COLOR|CI|TMPDIR|XDG_RUNTIME_DIR|DBUS_SESSION_BUS_ADDRESS|https?_proxy|no_proxy)$/i;

/** A new folder under the system's temporary one. Short, because gpg's sockets lie in it and may have about 100 bytes. */
export function temporaryFolder(prefix) {
  return realpathSync(mkdtempSync(path.join(tmpdir(), prefix)));
}

/** Removes a folder of `temporaryFolder`, also what rootless Podman left in it under other users' ids. */
export function removeFolder(folder) {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    spawnSync("podman", ["unshare", "rm", "-rf", folder], { stdio: "ignore" });
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The caller's environment without anything that leads to the caller's files. */
export function ownEnvironment(folder) {
  const home = path.join(folder, "home");
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const kept = Object.entries(process.env).filter(([key]) => KEPT.test(key));
  return { ...Object.fromEntries(kept), HOME: home, GIT_CONFIG_NOSYSTEM: "1" };
}
