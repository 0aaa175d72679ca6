import { hasOpen, listProcesses } from "./live-processes.js";

/** Whether a live process, of those that this user may look at, has the file open; `identity` is its device and inode. */
export async function isOpenSomewhere(identity: string): Promise<boolean> {
  const wanted = new Set([identity]);
  const open = await Promise.all(((await listProcesses()) ?? []).map(({ id }) => hasOpen(id, wanted)));
  return open.includes(true);
}
