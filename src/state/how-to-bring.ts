const STORE = '"$(git rev-parse --git-common-dir)/kai/state"';

/** So many files are named in one command; who lacks more needs the whole folder. */
const NAMED = 4;

/**
 * For a hint: how captured state comes to where it is missing or damaged. `large` are the digests of those files of it that are
 * kept outside git's objects, which no fetch brings.
 */
export function howToBring(ref: string, large: readonly string[]): string {
  if (large.length > 0) return `${bringLarge(large)} \`rollback --keep-state\` goes back without it.`;
  if (ref.startsWith("refs/kai/backup/")) {
    return "A backup is on the machine that made it, and in no clone: `git fsck` there says whether it is whole.";
  }
  return `Fetch it from a repository that has it: \`git fetch REPOSITORY +${ref}:${ref}\`. Files of it above 16 MiB come with no fetch; which they are is said when it is here. \`rollback --keep-state\` goes back without it.`;
}

function bringLarge(digests: readonly string[]): string {
  const sources = digests.length > NAMED ? ["*"] : digests;
  const from = sources.map((name) => `HOST:FOLDER/.git/kai/state/${name}`).join(" ");
  return `Files above 16 MiB come with no fetch: copy them from the repository that captured them, \`mkdir -p ${STORE} && scp ${from} ${STORE}\`; each is verified by its digest when it is used.`;
}
