import { loadAgentConfig } from "../agent/config.js";
import { decodeConfig } from "../agent/find-config.js";
import { type ErrorDetails, KaiError } from "../error.js";
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
import { type EndedBeside, endBeside } from "../system/end-beside.js";
import { listMarked } from "../system/marked-processes.js";
import { findStat } from "../system/path-bytes.js";
import { whyNotRun } from "../version/command-trust.js";
import { placeOf } from "../version/deployed-agent.js";
import { findVersion, type KnownVersion, versionInForce } from "../version/history.js";
import {
  agentMark,
  type LifecycleCommands,
  type LifecycleSituation,
  lifecycleCommands,
} from "../version/lifecycle-commands.js";
import { findNumber } from "../version/number.js";
import type { RunningPlace } from "../version/running-places.js";
import type { WritingSession } from "../version/writing-session.js";
import { folderOf } from "./ensure-deployment.js";
import { listOthers, type Switch } from "./list-others.js";

export interface BlueGreenRequest extends Switch {
  /** Fingerprint of the key that the operation is signed with. */
  readonly key: string;
  /** `--trust-commands`. */
  readonly trustCommands: boolean;
  /** Where no version is switched to: whether the agent of the working tree runs in its place, as before the first deployment. */
  readonly startHere?: boolean | undefined;
}

/** How a version's agent comes to run beside the one that runs, before the link is switched, and that one ends after it. */
export interface BlueGreen {
  /** Which agents run where nothing happens, and where it did. For the journal. */
  readonly before: AgentSide;
  readonly after: AgentSide;
  /** The version whose agent is started; undefined where none is. */
  readonly starts: KnownVersion | undefined;
  /** Whether the agent of the working tree ends by it. */
  readonly endsHere: boolean;
  /** Installs what the agent depends on in a folder that is being written; null where there is no command. */
  readonly install: ((folder: string) => Promise<void>) | null;
  /** Starts the new agent in its folder, `written` anew or not, and waits until it is well; null without a command. */
  startNew(written: boolean): Promise<StartOutcome | null>;
  /** Ends it, unless `current` leads to it: nothing happened. */
  stopNew(): Promise<void>;
  /**
   * Ends the agents of all other versions, and the one of the working tree, beside the new one, which is started once more where it
   * did not survive that. `ended` is null where none ran, not ok where one of the version that is left may run on.
   */
  stopOld(): Promise<EndedBeside>;
}

/** Reads the commands of both versions. E112 where those of the new one may not be run. */
export async function planBlueGreen(session: WritingSession, request: BlueGreenRequest): Promise<BlueGreen> {
  const { version, previous } = request;
  const { caller, history } = session;
  const { starts, start, install, stop } = await planNew(session, request);
  const context = { env: caller.env, onOutput: (text: string) => tell(caller.progress, text) };
  const cancellable = { ...context, cancelled: caller.interrupted };
  const stays = previous !== null && previous === version?.number.text;
  const number = previous === null || stays ? undefined : findNumber(previous);
  const left = number && findVersion(history, number);
  const old = left && (await trustedCommandsOf(session, request, left, inDeployment(request, left)));
  const isManaged = start !== null || version === null;
  const others = await listOthers(session, request);
  const endsHere = others.some((each) => each.version === null);
  const here = endsHere ? await commandsHere(session, request) : undefined;
  const ran = [old, here].find((each) => others.some(({ agent }) => agent === each?.agent));
  const runsAlready = stays && start !== null && (await listMarked(start.agent)).length > 0;
  // The agent of what is deployed already stays, unless it comes up in place of another.
  const stands = stays && (runsAlready || ran === undefined);
  const end = agentsToEnd(others, [old, here]);
  if (old && isManaged && ran !== old) end.push({ agent: old.agent, stop: old.stop, ran: false });
  const leftFolder =
    left && isManaged ? { cwd: folderOf(request.root, left), run: old?.start?.run, operation: session.id } : null;
  return {
    before: stands ? standing(runsAlready ? start : null) : besides(ran?.start ?? null, start),
    after: { start, end, left: leftFolder },
    starts,
    endsHere,
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
      caller.progress(`Starting ${starts?.tag}: ${start.run}`);
      // What runs already runs in a folder that was moved away.
      if (written) await endAgents([{ agent: start.agent, stop, ran: true }], context);
      const outcome = await startAgent(start, cancellable);
      caller.interrupted?.throwIfAborted();
      return outcome;
    },
    async stopNew() {
      if (start !== null && !stands) await stopAgent(null, start.agent, context);
    },
    async stopOld() {
      if (end.length > 0) caller.progress("Stopping what ran before");
      return endBeside(start, end, leftFolder, context);
    },
  };
}

const named = (commands: readonly (AgentCommand | null)[]): string[] => commands.flatMap((each) => each?.run ?? []);

/** The agent that `current` leads to before and after, where it runs: it may be started anew. */
const standing = (start: StartCommand | null): AgentSide => ({ start, end: [], ran: true });

/** The agent that runs while another is started beside it. */
const besides = (old: StartCommand | null, next: StartCommand | null): AgentSide => ({
  // It is not stopped before the switch: as long as it runs nobody need ask how it is.
  start: old && { ...old, health: null },
  // Not by its own command, which may not tell it from the one that is to run on.
  end: next === null ? [] : [{ agent: next.agent, stop: null, ran: true }],
  ran: true,
});

/** The agents in other folders that run, each by its own stop command where that is known. */
const agentsToEnd = (others: readonly RunningPlace[], known: readonly (TrustedCommands | undefined)[]): EndCommand[] =>
  others.map(({ agent }) => ({ agent, stop: known.find((each) => each?.agent === agent)?.stop ?? null, ran: true }));

/** E126: what a command printed at its end is in `data`. By default nothing happened. */
export const commandFailed = (
  key: string,
  version: KnownVersion,
  { error, output }: CommandOutcome,
  { hint, data }: Pick<ErrorDetails, "hint" | "data"> = {
    hint: "The link was not switched, and what ran before, if anything did, runs on.",
  },
): KaiError =>
  new KaiError("E126", `\`${key}\` of ${version.tag} failed: ${error ?? "it ended badly."}`, {
    hint,
    data: { command: key, output, ...data },
  });

/** Where commands run. */
type Place = Pick<LifecycleSituation, "cwd" | "deployment">;

const inDeployment = ({ root }: Switch, version: KnownVersion): Place => ({
  cwd: folderOf(root, version),
  deployment: root.root,
});

const inWorkingTree = ({ agent }: WritingSession): Place => placeOf(agent.repository, undefined, undefined);

async function commandsOf(
  { agent, reader, id, log }: WritingSession,
  { version: to, previous }: BlueGreenRequest,
  of: KnownVersion,
  place: Place,
): Promise<LifecycleCommands> {
  const file = await reader.find(`${of.commit}:kai.yaml`);
  if (file === undefined) {
    throw new KaiError("E105", `${of.tag} has no kai.yaml.`, { hint: "Make a new version that has one." });
  }
  const name = `${of.tag}:kai.yaml`;
  const { lifecycle } = await loadAgentConfig(decodeConfig(file.content, name), name);
  return lifecycleCommands(lifecycle, {
    ...place,
    version: of.number.text,
    from: previous,
    to: to?.number.text ?? null,
    operation: id,
    commonDir: agent.repository.commonDir,
    repo: log.entry.repo,
  });
}

interface NewAgent extends Pick<LifecycleCommands, "start" | "install" | "stop"> {
  readonly starts: KnownVersion | undefined;
}

/**
 * The agent that comes in place of the one that runs: of the version, or of the working tree unless it runs. E112 where its
 * commands may not be run.
 */
async function planNew(session: WritingSession, request: BlueGreenRequest): Promise<NewAgent> {
  const { version, startHere, key } = request;
  const place = version === null ? inWorkingTree(session) : inDeployment(request, version);
  const inPlace = version ?? (startHere ? versionInForce(session.history) : undefined);
  const none = { starts: undefined, start: null, install: null, stop: null };
  if (inPlace === undefined) return none;
  const { agent, start, stop, install: asked } = await commandsOf(session, request, inPlace, place);
  if (version === null && (await listMarked(agent)).length > 0) return none;
  const install = version === null ? null : asked;
  const refused = await whyNotRun(session, [{ version: inPlace, commands: named([install, start]) }], request, key);
  if (refused) throw refused;
  return { starts: start === null ? undefined : inPlace, start, install, stop };
}

type TrustedCommands = Pick<LifecycleCommands, "agent" | "start" | "stop">;

/** Of the agent in the working tree: the version in force says how that is stopped and started. */
const commandsHere = (session: WritingSession, request: BlueGreenRequest): Promise<TrustedCommands> =>
  trustedCommandsOf(session, request, versionInForce(session.history), inWorkingTree(session));

/** How what is left is stopped and started; by none of its commands where they may not be run: it is left all the same. */
async function trustedCommandsOf(
  session: WritingSession,
  request: BlueGreenRequest,
  left: KnownVersion | undefined,
  place: Place,
): Promise<TrustedCommands> {
  const nothing = { agent: agentMark(session.log.entry.repo, place.cwd), start: null, stop: null };
  if (left === undefined) return nothing;
  try {
    const commands = await commandsOf(session, request, left, place);
    const uses = [{ version: left, commands: named([commands.start, commands.stop]) }];
    if ((await whyNotRun(session, uses, request, request.key)) !== null) return nothing;
    return (await findStat(place.cwd)) === undefined ? { ...commands, stop: null } : commands;
  } catch (cause) {
    if (!(cause instanceof KaiError)) throw cause;
    return nothing;
  }
}

function tell(progress: (message: string) => void, text: string): void {
  const line = text.trimEnd().split("\n").at(-1);
  if (line) progress(line);
}
