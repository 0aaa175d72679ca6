import { chmod, readdir } from "node:fs/promises";

/** Makes a folder and those in it writable, so that what is in them can be removed. */
export async function openFolders(folder: string | Buffer): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true, encoding: "buffer" })) {
    if (entry.isDirectory()) await openFolders(Buffer.concat([Buffer.from(folder), Buffer.from("/"), entry.name]));
  }
}
