/**
 * The library: what the command line does, for programs. Functions that write take a `Caller`, which hands in folder,
 * environment and clock; all throw `KaiError`, whose code is one of `ERROR_CODES`. Nothing here prints or exits.
 */
export type { AgentConfig } from "./agent/config.js";
export type { DeployedVersion, DeployOptions } from "./deploy/deploy.js";
export { deployAfterVersion as deploy } from "./deploy/deploy-after-version.js";
export { type DeploymentStatus, readDeploymentStatus } from "./deploy/deployment-status.js";
export type { LoadedAgent, LoadedState, LoadedStateFile, LoadOptions } from "./deploy/load-agent.js";
export { loadAgent } from "./deploy/load-agent.js";
export { type LoadDeploymentOptions, type LoadedDeployment, loadDeployment } from "./deploy/load-deployment.js";
export { ERROR_CODES, type ErrorCode, type ErrorDetails, KaiError } from "./error.js";
export type { InForce, LoggedEntry, OperationKind } from "./operation/entry.js";
export type { Recovered } from "./operation/recover.js";
export type { RollbackCaller } from "./rollback/decided.js";
export type { RollbackPlan, RollbackType } from "./rollback/plan.js";
export { type Rehearsal, rehearse } from "./rollback/rehearse.js";
export type { RollbackOptions } from "./rollback/request.js";
export { rollBackAfterVersion as rollBack, type VersionedRollback } from "./rollback/roll-back-after-version.js";
export { rollBackSafely } from "./rollback/roll-back-safely.js";
export type { RollbackResult } from "./rollback/rollback.js";
export type { StepListener } from "./rollback/step-log.js";
export type { StepResult } from "./rollback/step-result.js";
export { type Suggestion, suggestTargets } from "./rollback/suggest.js";
export { type UndoOptions, type UndoResult, undo } from "./rollback/undo.js";
export { type Judged, judgeWhen, type WhenOptions } from "./rollback/when.js";
export { createVersion } from "./snapshot/gate/create-version.js";
export { promoteVersion } from "./snapshot/gate/promote-version.js";
export { type RanTrigger, runTriggers, type TriggerOptions, type TriggerRun } from "./trigger/run-triggers.js";
export type { AfterVersion, VersionBefore } from "./trigger/version-before.js";
export { type AgentRepository, openAgent } from "./version/agent-repository.js";
export { type CompareRequest, type Comparison, compareVersions } from "./version/compare.js";
export type { CreatedVersion } from "./version/create.js";
export { type CurrentVersion, readCurrent } from "./version/current.js";
export type { CreateRequest } from "./version/decide-creation.js";
export type { History, KnownVersion } from "./version/history.js";
export { type ListedVersion, type ListRequest, listVersions, type VersionList } from "./version/list.js";
export { type NextVersion, readNext } from "./version/next.js";
export { parseNumber, type VersionNumber } from "./version/number.js";
export { type ListedOperation, listOperations, type OperationFilter } from "./version/operations.js";
export type { PromotedVersion, PromoteRequest } from "./version/promote.js";
export { type AgentHistory, readAgentHistory } from "./version/reading.js";
export type { VersionRecord, VersionType } from "./version/record.js";
export { type ShownVersion, showVersion } from "./version/show.js";
export type { Stability, Standing, Status } from "./version/standing.js";
export { type AgentStatus, readAgentStatus } from "./version/status.js";
export { type Verification, type VerifyCaller, type VerifyRequest, verifyVersions } from "./version/verify.js";
export type { Caller } from "./version/writing-session.js";
