const STATE_FILE = /(?:^|\/)(?:state\.json|memory\.json|checkpoints?\.json|[^/]+\.(?:sqlite3?|db3?|state\.json))$/i;
const STATE_FOLDER = /^(?:.*?\/)?(?:memory|memories|checkpoints|chroma(?:_db)?|agent-memory|\.langgraph_api)\//;
const CODE = /\.(?:py|[cm]?[jt]sx?|go|rs|md\.j2)$/;
// What has a meaning in a glob would not name itself.
const PLAIN_PATH = /^[^\s*?[\]\\!#"'\p{Cc}](?:[^*?[\]\\"'\p{Cc}]*[^\s*?[\]\\"'\p{Cc}])?$/u;

/** Paths that look like runtime state: databases, state files, and folders (with a slash at the end) of memory or checkpoints. */
export function findStateCandidates(files: readonly string[]): string[] {
  const folders = new Set(files.map((file) => STATE_FOLDER.exec(file)?.[0]).filter((folder) => folder !== undefined));
  for (const file of files) {
    if (!CODE.test(file)) continue;
    // A folder of this name that holds code is a module.
    for (const folder of folders) if (file.startsWith(folder)) folders.delete(folder);
  }
  const loose = files.filter(
    (file) => STATE_FILE.test(file) && ![...folders].some((folder) => file.startsWith(folder)),
  );
  return [...new Set([...folders, ...loose])].filter((path) => PLAIN_PATH.test(path)).sort();
}
