import { KaiError } from "../error.js";
import { giveBack, ownedByOther } from "../system/owned-by-others.js";

const DISK_ERRORS = new Map([
  ["ENOSPC", "The disk is full."],
  ["EDQUOT", "The disk quota is used up."],
  ["EFBIG", "The file would be larger than files may be here (`ulimit -f`)."],
  ["EROFS", "The file system is read-only."],
  ["EIO", "The disk reported an input/output error."],
  ["ENOTDIR", "A file stands where a folder is needed."],
  ["EACCES", "Permission denied."],
  ["EPERM", "Permission denied."],
]);

/** Any thrown value as the error that the user sees; what nobody foresaw is a defect of ours, said so. */
export function failureOf(cause: unknown, env: NodeJS.ProcessEnv): KaiError {
  if (cause instanceof KaiError) return cause;
  const { code, path, message, stack } = cause as NodeJS.ErrnoException;
  const disk = code === undefined ? undefined : DISK_ERRORS.get(code);
  if (disk !== undefined) {
    return new KaiError("E118", path === undefined ? disk : `${disk} (${path})`, { hint: wayOut(code, path), cause });
  }
  return new KaiError("E170", `Unexpected: ${message ?? String(cause)}`, {
    hint: env["KAI_DEBUG"]
      ? (stack ?? "No stack was given.")
      : "Run it again with KAI_DEBUG=1 and report what it prints; your repository is recovered by `git kai-version recover`.",
    cause,
  });
}

function wayOut(code: string | undefined, path: string | undefined): string {
  const other = path !== undefined && /^(?:EACCES|EPERM)$/.test(code ?? "") ? ownedByOther(path) : undefined;
  if (other === undefined)
    return "Nothing was half-written: mend the disk, the permissions or the path and run the command again.";
  const { place, owner } = other;
  // What sudo leaves is root's; whatever is another user's is rightly so.
  const back = owner === "root" ? giveBack(place) : undefined;
  const whose = `Nothing was half-written. ${place} is ${owner}'s`;
  return back === undefined
    ? `${whose}: take another place, or have its permissions changed.`
    : `${whose}. Where a command that ran with sudo left it, \`${back}\` gives it back to you.`;
}
