import path from "node:path";

/** How the names of all folders of sandboxes begin. */
export const SANDBOX_PREFIX = "kai-snapshot.";

/** Where the sandbox of that id has its folder. */
export const sandboxFolderIn = (tempDir: string, id: string): string => path.join(tempDir, `${SANDBOX_PREFIX}${id}`);

export const containerNameOf = (id: string): string => `kai-${id.toLowerCase()}`;
