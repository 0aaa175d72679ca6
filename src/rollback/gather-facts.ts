import type { AgentConfig, SnapshotTest } from "../agent/config.js";
import { parseDuration } from "../agent/quantity.js";
import { findObstacles } from "../operation/find-obstacles.js";
import { type AgentCommand, inScratch, type StartCommand } from "../system/agent-command.js";
import { type CommandContext, type CommandOutcome, runAgentCommand } from "../system/agent-process.js";
import { type CommandUse, whyNotRun } from "../version/command-trust.js";
import type { DeployedAgent } from "../version/deployed-agent.js";
import type { LifecycleCommands } from "../version/lifecycle-commands.js";
import { liveStateOf } from "../version/live-state.js";
import type { WritingSession } from "../version/writing-session.js";
import { type AgentCommands, agentCommands, leavesAgent } from "./agent-commands.js";
import { type ChosenMigration, chooseMigration } from "./choose-migration.js";
import type { Retention } from "./clean-up.js";
import { judgeConditions } from "./conditions.js";
import { readEarlierTimes } from "./earlier-times.js";
import { findBlockedState } from "./find-blocked-state.js";
import { findLackingState } from "./lacking-state.js";
import type { Migration } from "./migrate-aside.js";
import { findMintSigner, type MintSigner, takenBy } from "./mint-signer.js";
import type { PlanFacts, PlannedCommand, StateSource } from "./plan.js";
import { choosePolicy, hasStep, type RollbackPolicy, withStep } from "./policy.js";
import { findPutBack, type PutBack } from "./put-back.js";
import type { RollbackRequest } from "./request.js";
import { requireDepth } from "./require-depth.js";
import { risksOf } from "./risk-facts.js";
import { stateSource } from "./state-source.js";
import type { Ground } from "./survey.js";
import { isUntested } from "./untested-target.js";
import { kindsOf, validationsOf } from "./validations.js";
import { versionThatNames } from "./version-that-names.js";

/** The facts of a plan, and what carrying it out takes beside. */
export interface Prepared {
  readonly facts: PlanFacts;
  /** Who may sign the version that is made; undefined where none is. */
  readonly mintSigner: MintSigner | undefined;
  /** Of the version that runs: it is stopped by them. */
  readonly before: LifecycleCommands;
  /** Of the version that is to run: it is installed and started by them. */
  readonly after: LifecycleCommands;
  /** How the version that is left is started again where nothing happens. */
  readonly startAgain: StartCommand | null;
  /** The marks of what was started here and runs beside it. */
  readonly beside: readonly string[];
  /** What the operation that is taken back had replaced; undefined where there is nothing to put back. */
  readonly putBack: PutBack | undefined;
  /** Run in a folder of the deployment that has to be written. */
  readonly installDeployed: AgentCommand | null;
  readonly capture: { readonly ref: string; readonly digest: string | null } | undefined;
  readonly migration: Migration | undefined;
  readonly saveState: boolean;
  /** Of the target: its scenarios are run, if they are of these kinds. */
  readonly config: AgentConfig;
  readonly testKinds: readonly SnapshotTest["kind"][];
  readonly checksHealth: boolean;
  readonly retention: Retention;
  readonly uses: readonly CommandUse[];
  readonly isLiveState: (path: string) => boolean;
  /** Runs a command of the lifecycle somewhere else. */
  readonly runIn: (command: AgentCommand, cwd: string, context: CommandContext) => Promise<CommandOutcome>;
}

/** Decides what the steps have to do. E101 where the target is too far back, E122 for a policy that there is not. */
export async function gatherFacts(
  session: WritingSession,
  request: RollbackRequest,
  ground: Ground,
  mints: string | null,
): Promise<Prepared> {
  const { repository } = session.agent;
  const { from, target, config } = ground;
  const { rollback_system: settings } = config;
  const emergency = request.type === "emergency";
  const wanted = policyOf(request, ground);
  requireDepth(ground, request, settings);
  const names = { from: from?.number.text ?? null, to: target.version?.number.text ?? target.name };
  const commands = await agentCommands(session, request, ground, wanted, mints);
  const { before, after, startAgain, beside, installDeployed } = commands;
  const targetConfig = target.config ?? config;
  const putBack = await findPutBackFor(session, request, ground, wanted);
  const installs = ground.environmentChanges && !putBack ? after.install : null;
  const conversion = chooseMigration(ground, commands);
  const lacking = await findLackingState(session, ground, request, wanted);
  const state = stateSource(ground, request, wanted, conversion, lacking);
  // No byte is lost: what is replaced was saved, whatever a policy says. What is converted is a copy of that.
  const saveState = state.kind !== "live";
  const policy = saveState ? withStep(wanted, "backup_current") : wanted;
  const mintSigner = await findMintSigner(session, ground, mints, state);
  const migration = migrationOf(state, conversion);
  const [upwards, downwards] = conversion.forward ? [migration, undefined] : [undefined, migration];
  const testKinds = emergency || !hasStep(policy, "validate_rollback") ? [] : kindsOf(settings.validation);
  const tests = targetConfig.snapshot_isolation.tests.filter(({ kind }) => testKinds.includes(kind));
  const checksHealth =
    after.health !== null &&
    settings.validation.health_checks &&
    hasStep(policy, "validate_rollback") &&
    concernsAgent(ground, state, request);
  const named = (commands: readonly (AgentCommand | null)[]) => commands.flatMap((each) => each?.run ?? []);
  const health = checksHealth ? after.health : null;
  const commandsAfter = named([installDeployed, installs, upwards?.command ?? null, after.start, health]);
  const byTarget = [...(commands.namedAfter ? [] : commandsAfter), ...tests.map(({ run }) => run)];
  const uses: CommandUse[] = [
    { version: commands.named, commands: named([before.stop, downwards?.command ?? null]) },
    { version: commands.namedAfter, commands: commands.namedAfter ? commandsAfter : [] },
    { version: byTarget.length === 0 ? undefined : await versionThatNames(session, ground), commands: byTarget },
  ];
  const notRun = await whyNotRun(session, uses, request);
  const conditions = judgeConditions(policy, ground, state);
  const facts: PlanFacts = {
    type: request.type,
    leavesAgent: leavesAgent(request),
    ...names,
    mints,
    stateAlone: ground.stateAlone,
    renumbers: renumbers(ground, commands),
    takes: takenBy(mintSigner),
    deployment: ground.deployed === undefined ? null : plannedDeployment(ground.deployed),
    policy,
    conditions,
    commands: {
      stop: planned(before.stop),
      install: planned(installs),
      start: planned(after.start),
      health: planned(after.health),
      migrate: planned(conversion.command),
      runs: startAgain !== null || beside.length > 0 || (session.history.current === null && after.start !== null),
    },
    environmentChanges: ground.environmentChanges,
    putsBack: putBack?.outputs.length ?? 0,
    state,
    saveState,
    files: { changed: ground.changes.length, config: ground.configFiles },
    undone: undoneBy(request, ground),
    validations: validationsOf(checksHealth, tests),
    risks: risksOf(session, ground, {
      state,
      lacking,
      request,
      conditions,
      putBack,
      install: installs,
      obstacles: await findInTheWay(session, ground),
      blockedState: await findBlockedState(session, state, targetConfig),
      keepsBackup: settings.backup_before_rollback,
      notRun: notRun?.message ?? null,
      leftStopped: after.start === null && isStopped(before, startAgain, policy),
      untested: await isUntested(session, ground),
    }),
    earlier: await readEarlierTimes(repository),
    timeoutMs: Math.min(parseDuration(settings.rollback_timeout), request.withinMs ?? Number.POSITIVE_INFINITY),
    recovery: {
      automatic: settings.recovery.automatic_recovery,
      timeoutMs: parseDuration(settings.recovery.recovery_timeout),
      strategies: settings.recovery.fallback_strategies,
    },
  };
  return {
    facts,
    mintSigner,
    before,
    after: { ...after, install: installs },
    startAgain,
    beside,
    putBack,
    installDeployed,
    capture: state.kind === "capture" ? { ref: state.ref, digest: state.digest } : undefined,
    migration,
    saveState,
    config: targetConfig,
    testKinds,
    checksHealth,
    retention: {
      retentionMs: parseDuration(settings.backup_retention),
      untilNext: saveState && !settings.backup_before_rollback,
    },
    uses,
    isLiveState: liveStateOf(session.agent.config),
    runIn: (command, cwd, context) => runAgentCommand(inScratch(command, cwd), context),
  };
}

/** Untracked paths (latin1) that stand where files go; live state is left as it is. */
async function findInTheWay({ agent }: WritingSession, { changes }: Ground): Promise<string[]> {
  const { workTree } = agent.repository;
  if (workTree === undefined) return [];
  const isLiveState = liveStateOf(agent.config);
  return findObstacles(
    workTree,
    changes.filter(({ path }) => !isLiveState(path)),
  );
}

/** Whoever takes an operation back puts back the state that it replaced, whatever the policy. */
function policyOf({ policy, type }: RollbackRequest, { config, takesBack, target }: Ground): RollbackPolicy {
  const chosen = choosePolicy(config.rollback_system, { name: policy, emergency: type === "emergency" });
  return takesBack && target.capture ? withStep(chosen, "restore_data") : chosen;
}

/** Behind an operation, what it replaced is put back as it was, which needs no network. */
const findPutBackFor = async (
  { agent }: WritingSession,
  { type }: RollbackRequest,
  { target }: Ground,
  policy: RollbackPolicy,
): Promise<PutBack | undefined> =>
  type === "snapshot" && hasStep(policy, "restore_dependencies")
    ? findPutBack(agent.repository, target.name)
    : undefined;

/**
 * Whether its health tells anything of this: not where `undo` leaves all that an agent runs on as it is, or nothing in force,
 * because then nobody said that one runs.
 */
const concernsAgent = (ground: Ground, { kind }: StateSource, { recovers }: RollbackRequest): boolean => {
  if (!ground.takesBack || recovers !== undefined) return true;
  const { changes, deployed, version } = ground;
  return version !== null && (changes.length > 0 || kind !== "live" || deployed?.next !== undefined);
};

/** Where it is deployed it runs under the number of what is. */
const renumbers = ({ takesBack, from, version, deployed }: Ground, { after }: AgentCommands): boolean =>
  !takesBack && from !== undefined && from !== version && deployed === undefined && after.start !== null;

const migrationOf = ({ kind }: StateSource, { command, commit }: ChosenMigration): Migration | undefined =>
  kind === "migrated" && command !== null ? { command, commit } : undefined;

const isStopped = ({ stop }: LifecycleCommands, start: StartCommand | null, policy: RollbackPolicy): boolean =>
  hasStep(policy, "stop_agent") && (stop !== null || start !== null);

const plannedDeployment = ({ root, version, next }: DeployedAgent) => ({
  root,
  from: version,
  to: next?.version.number.text ?? version,
});

/** Of a part that goes back nobody can say which commits are undone. */
const undoneBy = ({ type }: RollbackRequest, { undone }: Ground): number =>
  type === "selective" || type === "partial" ? 0 : undone.length;

const planned = (command: AgentCommand | null): PlannedCommand | null =>
  command && { run: command.run, timeoutMs: command.timeoutMs };
