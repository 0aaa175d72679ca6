import type { AgentCommand, StartCommand } from "../system/agent-command.js";
import { type DeployedAgent, placeOf } from "../version/deployed-agent.js";
import { configuredRoot } from "../version/deployment-place.js";
import type { KnownVersion } from "../version/history.js";
import { type LifecycleCommands, lifecycleCommands } from "../version/lifecycle-commands.js";
import { findWhereItRuns } from "../version/where-it-runs.js";
import type { WritingSession } from "../version/writing-session.js";
import type { RollbackPolicy } from "./policy.js";
import type { RollbackRequest } from "./request.js";
import type { StepType } from "./step-types.js";
import type { Ground } from "./survey.js";

/** The commands of a rollback, as its policy has them run. */
export interface AgentCommands {
  /** Of the version that runs: it is stopped by them. */
  readonly before: LifecycleCommands;
  /** The version that names them; undefined where none that is here does. */
  readonly named: KnownVersion | undefined;
  /** The one that names those after, where that is one of a deployment; undefined where it is for others to find. */
  readonly namedAfter: KnownVersion | undefined;
  /** How it is started again where nothing happens. */
  readonly startAgain: StartCommand | null;
  /** The marks of what was started here and runs beside it, to be ended with it. */
  readonly beside: readonly string[];
  /** Of the version that is to run: it is installed and started by them. */
  readonly after: LifecycleCommands;
  /** Run in a folder of the deployment that has to be written, whatever the policy: it is nothing without. */
  readonly installDeployed: AgentCommand | null;
}

/**
 * Those of the version that is left, where it runs, and of the one that is gone to, or is made (`mints`, its number); of a deployment
 * those of the versions that are deployed.
 */
export async function agentCommands(
  session: WritingSession,
  request: RollbackRequest,
  { from, target, version, config, deployed }: Ground,
  policy: RollbackPolicy,
  mints: string | null,
): Promise<AgentCommands> {
  const { repository } = session.agent;
  const numbers = { from: from?.number.text ?? null, to: target.version?.number.text ?? target.name };
  const situation = {
    ...numbers,
    operation: session.id,
    commonDir: repository.commonDir,
    repo: session.log.entry.repo,
  };
  const commandsIn = (place: DeployedAgent | undefined) => {
    const commands = lifecycleCommands((place?.left?.config ?? config).lifecycle, {
      ...situation,
      version: place?.version ?? numbers.from,
      ...placeOf(repository, place, place?.version),
    });
    return withoutUseless(commands, session, request, place);
  };
  const namedIn = (place: DeployedAgent | undefined) => (place?.left?.config ? place.left.version : from);
  const root = deployed?.root ?? (await configuredRoot(repository, config));
  // In a rehearsal none runs yet: it is started where it should.
  const { place, beside } = await findWhereItRuns(session, request.rehearsal ? null : root, deployed);
  const left = commandsIn(place);
  const next = deployed?.next;
  // A version that has to be made first is deployed by `deploy`: until then the one that is runs on.
  const toRun =
    deployed && !next
      ? commandsIn(deployed)
      : lifecycleCommands(((next ?? target).config ?? config).lifecycle, {
          ...situation,
          // What is in force then, and what stops and asks it later is named by.
          version: (next?.version ?? version)?.number.text ?? mints,
          ...placeOf(repository, deployed, next?.version.number.text),
        });
  return {
    before: commandsFor(left, policy, request),
    named: namedIn(place),
    namedAfter: next?.config ? next.version : deployed && (next ? from : namedIn(deployed)),
    startAgain: leavesAgent(request) || request.noneRuns ? null : left.start,
    beside,
    after: commandsFor(toRun, policy, request),
    installDeployed: next ? toRun.install : null,
  };
}

/**
 * Without those that cannot be run: in a folder that is gone, or, where nothing is in force, of a kai.yaml that nobody has
 * signed for. What was started then is found by its marks, and ended.
 */
function withoutUseless(
  commands: LifecycleCommands,
  { history }: WritingSession,
  { trustCommands }: RollbackRequest,
  place: DeployedAgent | undefined,
): LifecycleCommands {
  if (place) return place.isThere ? commands : { ...commands, stop: null, start: null };
  if (history.current !== null || trustCommands) return commands;
  return { ...commands, stop: null, start: null, migrate: null };
}

/** Whether all that would meet the agent that runs is left out. */
export const leavesAgent = ({ rehearsal }: RollbackRequest): boolean => rehearsal?.withAgent === false;

/**
 * A command whose step the policy leaves out is not run, and in a rehearsal without the agent none that manages it. The others
 * have the time that the policy gives their step.
 */
function commandsFor(commands: LifecycleCommands, policy: RollbackPolicy, request: RollbackRequest): LifecycleCommands {
  const within = <C extends AgentCommand>(command: C | null, type: StepType): C | null => {
    const step = policy.steps.find((each) => each.type === type);
    return step && command ? { ...command, timeoutMs: step.timeoutMs ?? command.timeoutMs } : null;
  };
  const leftAlone = leavesAgent(request);
  return {
    ...commands,
    stop: leftAlone ? null : within(commands.stop, "stop_agent"),
    start: leftAlone ? null : within(commands.start, "start_agent"),
    health: leftAlone ? null : commands.health,
    install: within(commands.install, "restore_dependencies"),
    migrate: within(commands.migrate, "restore_data"),
  };
}
