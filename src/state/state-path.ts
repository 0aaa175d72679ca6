/**
 * The bytes (latin1 text) of a path as a capture's manifest has it; undefined where it leads out of the working tree or into
 * git's own folder, which no capture of ours ever does.
 */
export function parseStatePath(text: string): string | undefined {
  const latin1 = text.startsWith("/") ? decoded(text.slice(1)) : Buffer.from(text).toString("latin1");
  if (latin1 === undefined || latin1.includes("\0")) return undefined;
  const parts = latin1.split("/");
  return parts.every((part) => part !== "" && part !== "." && part !== ".." && part.toLowerCase() !== ".git")
    ? latin1
    : undefined;
}

/** Undoes the encoding of a path that is not UTF-8. */
function decoded(text: string): string | undefined {
  if (!/^(?:[^%\u0080-\uffff]|%[0-9A-F]{2})*$/.test(text)) return undefined;
  return text.replace(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** The first path that is there twice, or is a folder of another; undefined where each can be a file of its own. */
export function findClash(paths: readonly string[]): string | undefined {
  const files = new Set<string>();
  for (const path of paths) {
    if (files.has(path)) return path;
    files.add(path);
  }
  return paths.find((path) => {
    for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1)) {
      if (files.has(path.slice(0, end))) return true;
    }
    return false;
  });
}
