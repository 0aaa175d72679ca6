import { readdir } from "node:fs/promises";
import path from "node:path";
import { parseAgentConfig } from "../agent/config.js";
import { decodeConfig } from "../agent/find-config.js";
import { KaiError } from "../error.js";
import type { AgentSide } from "../operation/live-change.js";
import { type AgentCommand, type EndCommand, inScratch, type StartCommand } from "../system/agent-command.js";
import {
  type CommandOutcome,
  runAgentCommand,
  type StartOutcome,
  startAgent,
  stopAgent,
} from "../system/agent-process.js";
import { endAgents } from "../system/end-agents.js";
import { endLeftAgent } from "../system/end-left-agent.js";
import { listMarked } from "../system/marked-processes.js";
import { whyNotRun } from "../version/command-trust.js";
import { type DeploymentRoot, versionOfFolder } from "../version/deployment-root.js";
import { findVersion, type KnownVersion } from "../version/history.js";
import { agentMark, type LifecycleCommands, lifecycleCommands } from "../version/lifecycle-commands.js";
import { findNumber } from "../version/number.js";
import type { WritingSession } from "../version/writing-session.js";
import { folderOf } from "./ensure-deployment.js";

export interface BlueGreenRequest {
  readonly root: DeploymentRoot;
  /** What `current` is to lead to; null for nothing. */
  readonly version: KnownVersion | null;
  /** What `current` leads to; null for none. */
  readonly previous: string | null;
  /** Fingerprint of the key that the operation is signed with. */
  readonly key: string;
  /** `--trust-commands`. */
  readonly trustCommands: boolean;
}

/** How a version's agent comes to run beside the one that runs, before the link is switched, and that one ends after it. */
export interface BlueGreen {
  /** Which agents run where nothing happens, and where it did. For the journal. */
  readonly before: AgentSide;
  readonly after: AgentSide;
  /** Installs what the agent depends on in a folder that is being written; null where there is no command. */
  readonly install: ((folder: string) => Promise<void>) | null;
  /** Starts the new agent in its folder, `written` anew or not, and waits until it is well; null without a command. */
  startNew(written: boolean): Promise<StartOutcome | null>;
  /** Ends it, unless `current` leads to it: nothing happened. */
  stopNew(): Promise<void>;
  /** Ends the agents of all other versions; null where none ran, not ok where one of the version that is left may run on. */
  stopOld(): Promise<CommandOutcome | null>;
}

/** Reads the commands of both versions. E112 where those of the new one may not be run. */
export async function planBlueGreen(session: WritingSession, request: BlueGreenRequest): Promise<BlueGreen> {
  const { version, previous, key } = request;
  const { caller, history } = session;
  const next = version === null ? undefined : await commandsOf(session, request, version);
  const { install = null, start = null } = next ?? {};
  if (version !== null) {
    const refused = await whyNotRun(session, [{ version, commands: named([install, start]) }], request, key);
    if (refused) throw refused;
  }
  const context = { env: caller.env, onOutput: (text: string) => tell(caller.progress, text) };
  const cancellable = { ...context, cancelled: caller.interrupted };
  const stays = previous !== null && previous === version?.number.text;
  const number = previous === null || stays ? undefined : findNumber(previous);
  const left = number && findVersion(history, number);
  const old = left && (await trustedCommandsOf(session, request, left));
  const isManaged = start !== null || version === null;
  const end = await agentsToEnd(session, request, old, isManaged);
  const leftFolder =
    left && isManaged ? { cwd: folderOf(request.root, left), run: old?.start?.run, operation: session.id } : null;
  return {
    before: stays ? await standing(start) : await besides(old?.start ?? null, start),
    after: { start, end, left: leftFolder },
    install:
      install &&
      (async (folder) => {
        caller.progress(`Installing: ${install.run}`);
        const outcome = await runAgentCommand(inScratch(install, folder), cancellable);
        caller.interrupted?.throwIfAborted();
        if (!outcome.ok && version) throw commandFailed("lifecycle.install", version, outcome);
      }),
    async startNew(written) {
      if (start === null) return null;
      caller.progress(`Starting ${version?.tag}: ${start.run}`);
      // What runs already runs in a folder that was moved away.
      if (written) await endAgents([{ agent: start.agent, stop: next?.stop ?? null, ran: true }], context);
      const outcome = await startAgent(start, cancellable);
      caller.interrupted?.throwIfAborted();
      return outcome;
    },
    async stopNew() {
      if (start !== null && !stays) await stopAgent(null, start.agent, context);
    },
    async stopOld() {
      if (end.length > 0) caller.progress("Stopping what ran before");
      return endLeftAgent(end, leftFolder, context);
    },
  };
}

const named = (commands: readonly (AgentCommand | null)[]): string[] => commands.flatMap((each) => each?.run ?? []);

/** The agent that `current` leads to before and after: it may be started anew. */
const standing = async (start: StartCommand | null): Promise<AgentSide> => ({
  start: start && (await listMarked(start.agent)).length > 0 ? start : null,
  end: [],
  ran: true,
});

/** The agent that runs while another is started beside it. */
async function besides(old: StartCommand | null, next: StartCommand | null): Promise<AgentSide> {
  const runs = old !== null && (await listMarked(old.agent)).length > 0;
  return {
    // It is not stopped before the switch: as long as it runs nobody need ask how it is.
    start: runs ? { ...old, health: null } : null,
    // Not by its own command, which may not tell it from the one that is to run on.
    end: next === null ? [] : [{ agent: next.agent, stop: null, ran: true }],
    ran: true,
  };
}

/** The agents in other folders that run, and the one that is left, whoever started it, where its version `isManaged` by us. */
async function agentsToEnd(
  { log }: WritingSession,
  { root, version, previous }: BlueGreenRequest,
  old: TrustedCommands | undefined,
  isManaged: boolean,
): Promise<EndCommand[]> {
  const there = await readdir(root.versions).catch((): string[] => []);
  // One may run on although its folder is gone.
  const names = new Set(previous === null ? there : [...there, `v${previous}`]);
  const ends: EndCommand[] = [];
  for (const name of names) {
    const folder = path.join(root.versions, name);
    if (versionOfFolder(name) === null || name === `v${version?.number.text}`) continue;
    const agent = agentMark(log.entry.repo, folder);
    const ran = (await listMarked(agent)).length > 0;
    const isLeft = agent === old?.agent;
    if (ran || (isLeft && isManaged)) ends.push({ agent, stop: isLeft && there.includes(name) ? old.stop : null, ran });
  }
  return ends;
}

/** E126: what a command printed at its end is in `data`. */
export const commandFailed = (key: string, version: KnownVersion, { error, output }: CommandOutcome): KaiError =>
  new KaiError("E126", `\`${key}\` of ${version.tag} failed: ${error ?? "it ended badly."}`, {
    hint: "The link was not switched, and what ran before, if anything did, runs on.",
    data: { command: key, output },
  });

async function commandsOf(
  { agent, reader, id, log }: WritingSession,
  { root, version: to, previous }: BlueGreenRequest,
  of: KnownVersion,
): Promise<LifecycleCommands> {
  const file = await reader.find(`${of.commit}:kai.yaml`);
  if (file === undefined) {
    throw new KaiError("E105", `${of.tag} has no kai.yaml.`, { hint: "Make a new version that has one." });
  }
  const name = `${of.tag}:kai.yaml`;
  const { lifecycle } = parseAgentConfig(decodeConfig(file.content, name), name);
  return lifecycleCommands(lifecycle, {
    cwd: folderOf(root, of),
    deployment: root.root,
    version: of.number.text,
    from: previous,
    to: to?.number.text ?? null,
    operation: id,
    commonDir: agent.repository.commonDir,
    repo: log.entry.repo,
  });
}

type TrustedCommands = Pick<LifecycleCommands, "agent" | "start" | "stop">;

/** How the version that is left is stopped and started; by none of its commands where they may not be run: it is left all the same. */
async function trustedCommandsOf(
  session: WritingSession,
  request: BlueGreenRequest,
  left: KnownVersion,
): Promise<TrustedCommands> {
  const nothing = { agent: agentMark(session.log.entry.repo, folderOf(request.root, left)), start: null, stop: null };
  try {
    const commands = await commandsOf(session, request, left);
    const uses = [{ version: left, commands: named([commands.start, commands.stop]) }];
    return (await whyNotRun(session, uses, request, request.key)) === null ? commands : nothing;
  } catch (cause) {
    if (!(cause instanceof KaiError)) throw cause;
    return nothing;
  }
}

function tell(progress: (message: string) => void, text: string): void {
  const line = text.trimEnd().split("\n").at(-1);
  if (line) progress(line);
}
