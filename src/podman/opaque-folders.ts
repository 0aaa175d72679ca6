import { KaiError } from "../error.js";
import { runProcess } from "../system/process.js";
import { podmanEnvironment } from "./podman.js";

const BLOCK = 512;

/**
 * Which of `folders` (relative to the upper layer, as latin1 text) overlayfs marked opaque, so that nothing below shows through. Node reads
 * no extended attributes, and GNU tar does: it writes them into the pax headers of POSIX.1-2001.
 */
export async function opaqueFolders(
  upper: string,
  folders: readonly string[],
  rootless: boolean,
  env: NodeJS.ProcessEnv,
): Promise<Set<string>> {
  if (folders.length === 0) return new Set();
  const tar = ["tar", "--create", "--format=pax", "--xattrs", "--xattrs-include=*", "--no-recursion"];
  const args = [...tar, "--file=-", `--directory=${upper}`, "--null", "--verbatim-files-from", "--files-from=-"];
  const [file = "", ...rest] = rootless ? ["podman", "unshare", ...args] : args;
  const result = await runProcess({
    file,
    args: rest,
    env: podmanEnvironment(env),
    input: Buffer.from(folders.map((folder) => `./${folder}\0`).join(""), "latin1"),
  });
  if (result.exitCode !== 0) {
    throw new KaiError("E103", `The changes of the sandbox could not be read: ${result.stderr.toString().trim()}`, {
      hint: "GNU tar is needed; `git kai-version doctor` shows what is missing.",
    });
  }
  return parseOpaque(result.stdout, folders, `SCHILY.xattr.${rootless ? "user" : "trusted"}.overlay.opaque`);
}

/** Folders come back in the order in which they were asked for, so only their attributes are parsed, not their names. */
function parseOpaque(archive: Buffer, folders: readonly string[], key: string): Set<string> {
  const opaque = new Set<string>();
  let attributes = new Map<string, string>();
  let index = 0;
  for (let at = 0; at + BLOCK <= archive.length && archive[at] !== 0; ) {
    const type = String.fromCharCode(archive[at + 156] ?? 0);
    const size = Number.parseInt(archive.toString("latin1", at + 124, at + 136), 8) || 0;
    const body = archive.subarray(at + BLOCK, at + BLOCK + size);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    if (type === "x") attributes = parseRecords(body);
    else if (type === "5") {
      const folder = folders[index++];
      if (folder !== undefined && attributes.get(key) === "y") opaque.add(folder);
      attributes = new Map();
    }
  }
  return opaque;
}

/** Pax records, `<length> <key>=<value>\n`: taken by their length, because a value may hold anything. */
function parseRecords(body: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < body.length; ) {
    const blank = body.indexOf(" ", at);
    const length = Number(body.toString("latin1", at, blank));
    if (blank < 0 || !(length > 0)) break;
    const record = body.toString("latin1", blank + 1, at + length - 1);
    const equals = record.indexOf("=");
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}
