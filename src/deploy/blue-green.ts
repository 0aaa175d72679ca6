import { readdir } from "node:fs/promises";
import path from "node:path";
import { parseAgentConfig } from "../agent/config.js";
import { decodeConfig } from "../agent/find-config.js";
import { KaiError } from "../error.js";
import type { AgentCommand, StartCommand } from "../system/agent-command.js";
import { type CommandOutcome, runAgentCommand, startAgent, stopAgent } from "../system/agent-process.js";
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
  readonly version: KnownVersion;
  /** What `current` leads to; null for none. */
  readonly previous: string | null;
  /** Fingerprint of the key that the operation is signed with. */
  readonly key: string;
  /** `--trust-commands`. */
  readonly trustCommands: boolean;
}

/** How a version's agent comes to run beside the one that runs, before the link is switched, and that one ends after it. */
export interface BlueGreen {
  /** How the agent is started that runs now, and the one that is to; null for none. For the journal. */
  readonly before: StartCommand | null;
  readonly after: StartCommand | null;
  /** Installs what the agent depends on in a folder that is being written; null where there is no command. */
  readonly install: ((folder: string) => Promise<void>) | null;
  /** Starts the new agent in its folder and waits until it is well; null where there is no command. It never throws. */
  startNew(): Promise<CommandOutcome | null>;
  /** Ends it: nothing happened. */
  stopNew(): Promise<void>;
  /** Ends the agents of all other versions; null where none ran. */
  stopOld(): Promise<CommandOutcome | null>;
}

/** Reads the commands of both versions. E112 where those of the new one may not be run. */
export async function planBlueGreen(session: WritingSession, request: BlueGreenRequest): Promise<BlueGreen> {
  const { root, version, previous, key } = request;
  const { caller, history } = session;
  const next = await commandsOf(session, request, version);
  const refused = await whyNotRun(session, [{ version, commands: named([next.install, next.start]) }], request, key);
  if (refused) throw refused;
  const context = { env: caller.env, onOutput: (text: string) => tell(caller.progress, text) };
  const number = previous === null ? undefined : findNumber(previous);
  const left = number && previous !== version.number.text ? findVersion(history, number) : undefined;
  const old = left && (await trustedCommandsOf(session, request, left));
  const { install, start } = next;
  return {
    before: old?.start && (await listMarked(old.agent)).length > 0 ? old.start : null,
    after: start,
    install:
      install &&
      (async (folder) => {
        caller.progress(`Installing: ${install.run}`);
        const outcome = await runAgentCommand({ ...install, cwd: folder }, context);
        if (!outcome.ok) throw commandFailed("lifecycle.install", version, outcome);
      }),
    async startNew() {
      if (start === null) return null;
      caller.progress(`Starting ${version.tag}: ${start.run}`);
      return startAgent(start, context);
    },
    async stopNew() {
      await stopAgent(null, next.agent, context);
    },
    async stopOld() {
      // Without a start command nothing of ours runs here, and whatever does is not for us to stop.
      if (start === null) return null;
      caller.progress("Stopping what ran before");
      const outcomes: CommandOutcome[] = [];
      for (const folder of await otherFolders(root, version)) {
        const agent = agentMark(session.log.entry.repo, folder);
        const isLeft = agent === old?.agent;
        if (!isLeft && (await listMarked(agent)).length === 0) continue;
        outcomes.push(await stopAgent(isLeft ? (old?.stop ?? null) : null, agent, context));
      }
      return outcomes.find(({ ok }) => !ok) ?? outcomes[0] ?? null;
    },
  };
}

const named = (commands: readonly (AgentCommand | null)[]): string[] => commands.flatMap((each) => each?.run ?? []);

/** E126: what a command printed at its end is in `data`. */
export const commandFailed = (key: string, version: KnownVersion, { error, output }: CommandOutcome): KaiError =>
  new KaiError("E126", `\`${key}\` of ${version.tag} failed: ${error ?? "it ended badly."}`, {
    hint: "The link was not switched, and what ran before runs on.",
    data: { command: key, output },
  });

async function otherFolders(root: DeploymentRoot, version: KnownVersion): Promise<string[]> {
  const own = folderOf(root, version);
  const names = await readdir(root.versions);
  return names
    .filter((name) => versionOfFolder(name) !== null)
    .map((name) => path.join(root.versions, name))
    .filter((folder) => folder !== own);
}

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
    to: to.number.text,
    operation: id,
    commonDir: agent.repository.commonDir,
    repo: log.entry.repo,
  });
}

/** How the version that is left is stopped and started; by none of its commands where they may not be run: it is left all the same. */
async function trustedCommandsOf(
  session: WritingSession,
  request: BlueGreenRequest,
  left: KnownVersion,
): Promise<Pick<LifecycleCommands, "agent" | "start" | "stop">> {
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
