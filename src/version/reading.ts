import { isAscii } from "node:buffer";
import type { AgentConfig } from "../agent/config.js";
import { KaiError } from "../error.js";
import { PLAIN_LOG } from "../git/plain-log.js";
import { listRefs } from "../git/refs.js";
import { openRepository, type Repository } from "../git/repository.js";
import { gitFailure, tryGit } from "../git/run-git.js";
import { CURRENT_REF, LOG_REF } from "../operation/entry.js";
import { logEntries } from "../operation/log.js";
import { readRef } from "../operation/read-ref.js";
import { isUnfinished } from "../operation/recover.js";
import { type AgentRepository, type OnConfigGone, readAgent } from "./agent-repository.js";
import { type History, type OutlinedRef, outlinedHistory, withOutline } from "./history.js";
import { type LogOutline, LogOutliner, outlineLog } from "./log-outline.js";
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

/** The same in a repository that is open already. */
export async function readHistoryOf(repository: Repository, onConfigGone?: OnConfigGone): Promise<AgentHistory> {
  // The children first: they work while this process reads the configuration.
  const [tags, log, agent, unfinished] = await Promise.all([
    outlineTags(repository),
    outlineLogOf(repository),
    readAgent(repository, onConfigGone),
    isUnfinished(repository),
  ]);
  const pointer = tags.find(({ ref }) => ref.name === CURRENT_REF)?.ref.id;
  return { agent, ...historyFrom(tags, log, agent.config), pointer, hasLog: log !== undefined, unfinished };
}

interface PrintedLog {
  readonly outline: LogOutline;
  /** As `parseLogOutput` takes it. */
  readonly text: () => string;
}

/** History and outline from what `outlineTags` and `outlineLogOf` gave. */
export function historyFrom(
  tags: readonly OutlinedRef[],
  log: PrintedLog | undefined,
  config: AgentConfig,
): { readonly history: History; readonly outline: LogOutline } {
  const outline = log?.outline ?? outlineLog("");
  const format = tagFormat(config.version_management.semantic_versioning.tag_format);
  return { history: outlinedHistory(tags, outline, () => logEntries(log?.text() ?? ""), format), outline };
}

/** All tags, their objects looked at while git may still be printing the log. */
export const outlineTags = async (repository: Repository): Promise<OutlinedRef[]> =>
  (await listRefs(repository, ["refs/tags"])).map(withOutline);

/** The log's outline, made while git prints it; undefined where there is no log. E121 where it is there and git cannot read all of it. */
export async function outlineLogOf(repository: Repository): Promise<PrintedLog | undefined> {
  const outliner = new LogOutliner();
  const pieces: string[] = [];
  let begun: Buffer[] = [];
  const take = (...bytes: Buffer[]) => {
    const text = textOf(Buffer.concat(bytes));
    pieces.push(text);
    outliner.take(text);
  };
  const onStdout = (chunk: Buffer) => {
    const end = chunk.lastIndexOf(0);
    if (end >= 0) {
      take(...begun, chunk.subarray(0, end));
      begun = [];
    }
    begun.push(chunk.subarray(end + 1));
  };
  const args = [...PLAIN_LOG, "-z", "--topo-order", "--format=%H %P%n%B", LOG_REF, "--"];
  const log = await tryGit(repository, args, { onStdout });
  if (log.exitCode !== 0) {
    if ((await readRef(repository, LOG_REF)) === null) return undefined;
    throw unreadable(gitFailure(args, log));
  }
  take(...begun);
  return { outline: outliner.end(), text: () => pieces.join("\0") };
}

/** A disk's trouble, or a lock, says nothing of the log. */
const unreadable = (failure: KaiError): KaiError =>
  failure.code === "E116"
    ? new KaiError("E121", `The log cannot be trusted: it is damaged (${failure.message}).`, {
        hint: "Nothing was changed. `git fsck` shows what is missing; fetch it from a complete clone.",
        data: failure.data,
        cause: failure,
      })
    : failure;

/** UTF-8 as text; where it is ASCII, as it mostly is, without decoding. */
const textOf = (bytes: Buffer): string => (isAscii(bytes) ? bytes.toString("latin1") : bytes.toString());
