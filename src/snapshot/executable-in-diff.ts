import { type AgentConfig, loadAgentConfig } from "../agent/config.js";
import { decodeConfig, refuseLargeConfig } from "../agent/find-config.js";
import { KaiError } from "../error.js";
import type { ObjectReader } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import { CONFIG_FILE, readAgent } from "../version/agent-repository.js";
import { findVersionConfig } from "../version/version-config.js";
import type { Caller } from "../version/writing-session.js";
import { type ExecutableChange, findExecutable } from "./ingest/executable-changes.js";
import { foldersOf, foundFolders } from "./ingest/folder-view.js";
import { namedByGit } from "./ingest/named-by-git.js";
import { openFound } from "./ingest/open-found.js";
import type { FoundIn } from "./judged-changes.js";
import type { SnapshotRecord } from "./snapshot-record.js";

/** What `snapshot commit` would ask `--allow-executable` for, with `--apply` too, before anything is written: nothing runs there meanwhile. */
export async function executableInDiff(
  repository: Repository,
  reader: ObjectReader,
  caller: Caller,
  { record, found }: { readonly record: SnapshotRecord; readonly found: FoundIn },
): Promise<ExecutableChange[]> {
  const trees = [record.commit, record.tree, "HEAD"];
  const [version, began, onto] = await Promise.all(trees.map((each) => findVersionConfig(reader, each)));
  const before = version ?? (await readAgent(repository, caller.onConfigGone)).config;
  const after = await configAfter(found, began ?? null);
  return findExecutable(
    found.changes.map(({ path }) => path),
    { before, after, onto: onto ?? null, byGit: await namedByGit(repository) },
    [foundFolders(found.folder, found.changes), ...trees.map((each) => foldersOf(reader, each))],
  );
}

/** Null where it cannot be read. */
async function configAfter({ changes, folder }: FoundIn, began: AgentConfig | null): Promise<AgentConfig | null> {
  const change = changes.find(({ path }) => path === CONFIG_FILE);
  if (change === undefined) return began;
  if (change.mode === null || change.mode === "120000") return null;
  const handle = await openFound(folder, change).catch(() => undefined);
  try {
    refuseLargeConfig(change.size, CONFIG_FILE);
    const content = await handle?.readFile();
    return content === undefined ? null : await loadAgentConfig(decodeConfig(content, CONFIG_FILE), CONFIG_FILE);
  } catch (cause) {
    if (cause instanceof KaiError && cause.code === "E106") return null;
    throw cause;
  } finally {
    await handle?.close();
  }
}
