import { type AfterVersion, afterVersion } from "../trigger/version-before.js";
import type { Caller } from "../version/writing-session.js";
import { type DeployedVersion, type DeployOptions, deploy } from "./deploy.js";

/** Deploys, and where kai.yaml says so makes a version first of what is committed and in none yet. */
export const deployAfterVersion = (caller: Caller, options: DeployOptions): Promise<AfterVersion<DeployedVersion>> =>
  afterVersion(caller, {
    name: "a deployment",
    dryRun: options.dryRun,
    trustCommands: options.trustCommands,
    run: (each, { dryRun }) => deploy(each, { ...options, dryRun }),
  });
