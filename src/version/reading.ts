import type { AgentConfig } from "../agent/config.js";
import type { ObjectReader } from "../git/object-reader.js";
import { openRepository, type Repository } from "../git/repository.js";
import { CURRENT_REF } from "../operation/entry.js";
import { isUnfinished } from "../operation/is-unfinished.js";
import { type AgentRepository, type OnConfigGone, readAgent } from "./agent-repository.js";
import { type History, joinHistory } from "./history.js";
import { KeptLog } from "./kept-log.js";
import { KeptTags } from "./kept-tags.js";
import { type LogOutline, outlineEntries } from "./log-outline.js";
import type { TagList } from "./outlined-ref.js";
import { type ReadLog, readLogOutline } from "./read-log-outline.js";
import { readTagOutlines } from "./read-tag-outlines.js";
import { tagFormat } from "./tag-name.js";

export interface AgentHistory {
  readonly agent: AgentRepository;
  readonly history: History;
  readonly outline: LogOutline;
  /** What the tag `current` is, whatever the log says; undefined where it is not there. */
  readonly pointer: string | undefined;
  /** False where the clone lacks the log: then nothing is known but the tags. */
  readonly hasLog: boolean;
  /** Whether an operation is under way or was interrupted: `readOperationState` tells which. */
  readonly unfinished: boolean;
}

/** Reads an agent's tags and log without lock or verification: what a reading command shows. */
export async function readAgentHistory(
  cwd: string,
  env: NodeJS.ProcessEnv,
  onConfigGone?: OnConfigGone,
): Promise<AgentHistory> {
  return readHistoryOf(await openRepository(cwd, env), onConfigGone);
}

/** The same in a repository that is open already; with `anew` nothing is believed that was read before. */
export async function readHistoryOf(
  repository: Repository,
  onConfigGone?: OnConfigGone,
  how: { readonly anew?: boolean } = {},
): Promise<AgentHistory> {
  // The children first: they work while this process reads the configuration.
  const [{ tags, log }, agent, unfinished] = await Promise.all([
    readOutlines(repository, how),
    readAgent(repository, onConfigGone),
    isUnfinished(repository),
  ]);
  const pointer = tags.named(CURRENT_REF)?.ref.id;
  return { agent, ...historyFrom(tags, log, agent.config), pointer, hasLog: log !== undefined, unfinished };
}

/** History and outline from what `readTagOutlines` and `readLogOutline` gave. */
export function historyFrom(
  tags: TagList,
  log: ReadLog | undefined,
  config: AgentConfig,
): { readonly history: History; readonly outline: LogOutline } {
  const outline = log?.outline ?? outlineEntries([]);
  const format = tagFormat(config.version_management.semantic_versioning.tag_format);
  return { history: joinHistory(tags, outline, () => log?.entries() ?? [], format), outline };
}

export interface Outlines {
  readonly tags: TagList;
  /** Undefined where there is no log. */
  readonly log: ReadLog | undefined;
}

/** Tags and log, what is kept of them not read again, or with `anew` all of it read. */
export async function readOutlines(
  repository: Repository,
  { anew = false, reader }: { readonly anew?: boolean; readonly reader?: ObjectReader } = {},
): Promise<Outlines> {
  // Older entries may yet be fetched behind those that a shallow clone has.
  const [tags, log] = await Promise.all([
    readTagOutlines(repository, anew ? undefined : new KeptTags(repository), reader),
    readLogOutline(repository, anew || repository.shallow ? undefined : new KeptLog(repository)),
  ]);
  return { tags, log };
}
