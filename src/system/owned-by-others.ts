import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";

/** What keeps this user from a place, and the name of the user whose it is; undefined where it is nobody else's, and of root, whom nothing keeps out. */
export function ownedByOther(place: string): { readonly place: string; readonly owner: string } | undefined {
  const own = process.geteuid?.() ?? 0;
  if (own === 0) return undefined;
  // To make, replace or remove something is asked of its folder, and what cannot even be seen of the one above that.
  for (let each = place, left = 2; left > 0; each = path.dirname(each)) {
    const uid = uidOf(each);
    if (uid !== undefined) left--;
    if (uid !== undefined && uid !== own) return { place: each, owner: userName(uid) };
    if (each === path.dirname(each)) return undefined;
  }
  return undefined;
}

/** How a repository's own folder is had back that a place in it lies in; undefined of a place in none: that may be rightly another's. */
export function giveBack(place: string): string | undefined {
  // The folder itself, too.
  const git = `${place}/`.indexOf("/.git/");
  if (git < 0) return undefined;
  return `sudo chown -R "$(id -un)" '${place.slice(0, git + "/.git".length).replaceAll("'", "'\\''")}'`;
}

function uidOf(place: string): number | undefined {
  try {
    return existsSync(place) ? statSync(place).uid : undefined;
  } catch {
    return undefined;
  }
}

/** By passwd(5); the number where the file does not name it. */
function userName(uid: number): string {
  try {
    const lines = readFileSync("/etc/passwd", "utf8").split("\n");
    return lines.find((line) => line.split(":")[2] === String(uid))?.split(":")[0] ?? `user ${uid}`;
  } catch {
    return `user ${uid}`;
  }
}
