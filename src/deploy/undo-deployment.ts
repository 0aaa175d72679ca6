import { KaiError } from "../error.js";
import type { LoggedEntry } from "../operation/entry.js";
import { type DeploymentRoot, deploymentRoot, readCurrentLink, versionOfLink } from "../version/deployment-root.js";
import { findAsked } from "../version/find-asked.js";
import type { KnownVersion } from "../version/history.js";
import { holdDeployment } from "../version/hold-deployment.js";
import { requireProvable } from "../version/require-provable.js";
import { validateVersion } from "../version/validate-version.js";
import { provingOf, type WritingSession } from "../version/writing-session.js";
import { folderOf } from "./ensure-deployment.js";
import { findLaterSwitch } from "./later-switch.js";
import { ENDED_IN, foreseeDeployment, type PerformedDeployment, performDeployment } from "./perform-deployment.js";

/** What is deployed now; null for each where nothing is, as before the first deployment. */
export interface UndoneDeployment extends PerformedDeployment {
  readonly version: string | null;
  readonly tag: string | null;
  /** The version's folder. */
  readonly path: string | null;
  /** The working tree whose agent the deployment had ended, where nothing is deployed any more; null for none. */
  readonly endedIn: EndedIn | null;
}

interface EndedIn {
  readonly folder: string;
  /** Whether it is started again: of another working tree than this one it is not. */
  readonly startsAgain: boolean;
}

/**
 * Takes a deployment back, in a session that is open: what was deployed before is so again, its agent well before the switch;
 * where nothing was, the link goes and the agent ends, and that of the working tree, which it ended, is started again. Without
 * commands where it was made without. E125 where the link was switched since, also where it leads to the same version again.
 */
export async function undoDeployment(
  session: WritingSession,
  { id, details }: Pick<LoggedEntry, "id" | "details">,
  { trustCommands, dryRun }: { readonly trustCommands: boolean; readonly dryRun: boolean },
): Promise<UndoneDeployment> {
  const root = deploymentRoot(String(details["root"]));
  requireNewest(session, { id, details });
  if (!dryRun) await holdDeployment(session, root.root);
  const previous = await requireDeployed(root, details["deployed"]);
  requireNotForeign(root, details["replaced"]);
  const version = findBefore(session, details["previous"]);
  if (version !== null) {
    session.caller.progress(`Verifying ${version.tag}`);
    await validateVersion(provingOf(session), version);
  }
  const about = version ?? findAsked(session.history, String(previous));
  const subject = version === null ? `undo the deployment of ${about.tag}` : `undo the deployment after ${about.tag}`;
  const folder = version === null ? details[ENDED_IN] : undefined;
  const startHere = typeof folder === "string" && folder === session.agent.repository.workTree;
  const endedIn = typeof folder === "string" ? { folder, startsAgain: startHere } : null;
  const plan = { root, version, previous, kind: "undo", subject, about, more: { undoes: id }, startHere } as const;
  const options = { trustCommands, noCommands: details["noCommands"] === true };
  const done = dryRun
    ? await foreseeDeployment(session, plan, options)
    : await performDeployment(session, plan, options);
  if (version === null) return { version: null, tag: null, path: null, endedIn, ...done };
  return { version: version.number.text, tag: version.tag, path: folderOf(root, version), endedIn, ...done };
}

/** Refuses (E125) where a later operation switched it, unless that was taken back. */
function requireNewest({ history }: WritingSession, entry: Pick<LoggedEntry, "id" | "details">): void {
  const later = findLaterSwitch(history, entry);
  if (later === undefined) return;
  throw new KaiError("E125", `Another deployment was made at ${entry.details["root"]} since: ${later.subject}.`, {
    hint: `\`git kai-version undo ${later.id}\` takes that back first; \`git kai-version deploy VERSION\` switches to any.`,
  });
}

/** What `current` leads to, which must be what the operation deployed; null for nothing. */
async function requireDeployed({ root, current }: DeploymentRoot, deployed: unknown): Promise<string | null> {
  const link = await readCurrentLink(current);
  const version = versionOfLink(link);
  if (version === deployed && (version !== null || link === null)) return version;
  throw new KaiError(
    "E125",
    `${deployed === null ? "Nothing" : String(deployed)} is not what is deployed at ${root}.`,
    {
      hint: "`git kai-version status` shows what is; `git kai-version deploy VERSION` switches to any.",
    },
  );
}

/** Refuses (E125) to lead back to what was none of ours: nothing proves what that is. */
function requireNotForeign({ current }: DeploymentRoot, replaced: unknown): void {
  if (typeof replaced !== "string") return;
  throw new KaiError("E125", `${current} led to ${replaced} before, which is no deployment of this agent.`, {
    hint: "Switch it by hand where that is to be: `ln -sfn`.",
  });
}

/** The version that was deployed before, also one that was withdrawn since; null for none. */
const findBefore = ({ history }: WritingSession, before: unknown): KnownVersion | null =>
  typeof before === "string" ? requireProvable(findAsked(history, before)) : null;
