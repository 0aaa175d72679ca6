/** Code points that HFS+ takes no notice of in names: git's `core.protectHFS`. */
const IGNORED = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/** Files that steer git itself, which must not be links: git refuses them as such, and so do forges. */
const STEERING = [".gitmodules", ".gitattributes", ".gitignore", ".mailmap"];

/**
 * Why a name (bytes as latin1 text) may be in no version: some file system takes it for the repository's own folder. Undefined
 * where it may. The rules are those of git's `verify_path` with `core.protectHFS` and `core.protectNTFS`, and case is ignored.
 */
export function whyUnsafeName(latin1: string): string | undefined {
  const name = Buffer.from(latin1, "latin1").toString("utf8");
  // NTFS takes a backslash for a slash, and what follows a colon for a stream of the file.
  const parts = name.split("\\").map((part) => part.replace(/:.*$/s, ""));
  if (parts.some((part) => isGit(part))) return "a repository of its own";
  return undefined;
}

const isGit = (name: string): boolean => {
  const plain = folded(name);
  return plain === ".git" || plain === "git~1";
};

/** As the most careless file system sees it: without case, ignored code points, and blanks and dots at its end. */
function folded(name: string): string {
  const plain = name.normalize("NFKC").replace(IGNORED, "");
  let end = plain.length;
  // An expression would begin anew at each of thousands of dots, of which a link may consist.
  while (end > 0 && " .".includes(plain.charAt(end - 1))) end--;
  return plain.slice(0, end).toLowerCase();
}

/** A name (bytes as latin1 text) by which such a file system knows it, a stream of the file being the file. */
export const foldedName = (latin1: string): string =>
  folded(Buffer.from(latin1, "latin1").toString("utf8").replace(/:.*$/s, ""));

/** Whether a link of this name would be read by git as something of its own. */
export const isSteering = (latin1: string): boolean =>
  STEERING.includes(folded(Buffer.from(latin1, "latin1").toString("utf8")));
