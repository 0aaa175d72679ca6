import { syncTree } from "./move-tree.js";
import { runProcess } from "./process.js";

/**
 * Makes all files and names below a folder last. Where there may be tens of thousands of them, as in installed dependencies, to
 * sync the file system once (sync(1) of GNU, syncfs(2)) takes a hundredth of the time that one sync a file takes.
 */
export async function syncFiles(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const synced = await runProcess({ file: "sync", args: ["--file-system", folder], env }).then(
    ({ exitCode }) => exitCode === 0,
    () => false,
  );
  if (!synced) await syncTree(folder);
}
