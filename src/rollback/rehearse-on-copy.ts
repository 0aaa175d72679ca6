import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { ulid } from "ulid";
import { parseDuration } from "../agent/quantity.js";
import { removePart } from "../deploy/deployment-parts.js";
import { KaiError } from "../error.js";
import { findHost } from "../snapshot/sandbox/requirements.js";
import { makeSandboxFolder } from "../snapshot/sandbox/sandbox-folder.js";
import { sandboxFolderIn } from "../snapshot/sandbox/sandbox-names.js";
import { type Places, placesWith } from "../snapshot/snapshot-ground.js";
import { planSettings } from "../snapshot/snapshot-settings.js";
import { trustedTempDir } from "../snapshot/trusted-temp-dir.js";
import { ownIdentity } from "../system/process-identity.js";
import { type AgentRepository, openAgent } from "../version/agent-repository.js";
import { requireTrustRoot } from "../version/writing-session.js";
import { type AgentCopy, copyAgent, listBorrowed } from "./copy-agent.js";
import { copyDeployment, findDeploymentRoot } from "./copy-deployment.js";
import type { RollbackCaller } from "./decided.js";
import { type ContainerRequest, openRehearsalContainer, type RehearsalContainer } from "./rehearsal-container.js";
import type { Rehearsal } from "./rehearse.js";
import type { Rehearsed, RollbackOptions } from "./request.js";
import { type RollbackResult, rollBack } from "./rollback.js";
import { sweepRehearsals } from "./sweep-rehearsals.js";

/** `rehearse`, with all that containers take. */
export async function rehearseOnCopy(caller: RollbackCaller, options: RollbackOptions): Promise<Rehearsal> {
  // The rollback of the copy tells of a kai.yaml that is gone or broken.
  const agent = await openAgent(caller.cwd, caller.env, () => {});
  await requireTrustRoot(agent);
  await sweepRehearsals(caller, agent);
  const { tempDir, instead } = await trustedTempDir(caller, agent);
  const places = placesWith(agent.repository, tempDir, caller.env);
  const id = ulid(caller.now().getTime());
  const folder = sandboxFolderIn(places.tempDir, id);
  const owner = ownIdentity();
  await makeSandboxFolder(folder, { record: null, owner, throwAway: true, expiresAt: caller.now().toISOString() });
  let container: RehearsalContainer | undefined;
  const end = async () => container?.close();
  try {
    caller.progress("Copying the agent");
    const root = await findDeploymentRoot(agent);
    const copy = await copyAgent(agent, path.join(folder, "agent"), [places.tempDir, ...(root === null ? [] : [root])]);
    const deployment = root === null ? null : { root, copy: path.join(folder, DEPLOYMENT) };
    const beside = deployment ? await copyDeployment(deployment.root, deployment.copy, caller.env) : [];
    const opened = await tryContainer(caller, agent, { id, folder, copy, deployment, places });
    container = typeof opened === "string" ? undefined : opened;
    // Nobody waits for what runs in it any more; the end of all this tells what kept it from going.
    caller.interrupted?.addEventListener("abort", () => void end().catch(() => {}), { once: true });
    const rehearsal: Rehearsed = { withAgent: container !== undefined, root: deployment?.copy ?? null };
    const tried = await attempt(
      { ...caller, cwd: copy.folder, env: copy.env, shells: container?.shells },
      { ...options, dryRun: false, rehearsal },
    );
    caller.interrupted?.throwIfAborted();
    const { ok, problem } = tried;
    const rollback = tried.rollback && deployedAt(tried.rollback, root);
    const where = toldOf(container, typeof opened === "string" ? opened : null, tried);
    const remarks = [...elsewhere(tempDir, instead), ...where.remarks, ...(ok ? [] : notCopied(beside))];
    return { rehearsed: true, ok, problem, ...where, remarks, rollback };
  } finally {
    await end();
    // Its folders are read-only.
    await removePart(path.join(folder, DEPLOYMENT));
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

const elsewhere = (tempDir: string, instead: string | null): string[] =>
  instead === null ? [] : [`The copy lay in ${tempDir}: ${instead}.`];

const notCopied = (beside: readonly string[]): string[] =>
  beside.length === 0
    ? []
    : [
        `Of what lies beside the deployed versions nothing was copied, only its folders, empty: ${beside.slice(0, 10).join(", ")}${beside.length > 10 ? ", …" : ""}.`,
      ];

const DEPLOYMENT = "deployment";

/** What is told of a deployment is where it lies, not where its copy did. */
const deployedAt = (rollback: RollbackResult, root: string | null): RollbackResult => {
  const { plan } = rollback;
  return plan.deployment === null || root === null
    ? rollback
    : { ...rollback, plan: { ...plan, deployment: { ...plan.deployment, root } } };
};

type Tried = Pick<Rehearsal, "ok" | "problem" | "rollback">;

async function attempt(caller: RollbackCaller, options: RollbackOptions): Promise<Tried> {
  try {
    const rollback = await rollBack(caller, options);
    const failed = rollback.steps.find(({ status }) => status === "failed");
    const problem = rollback.ok ? null : { code: "E127", message: failed?.error ?? "it is not well", hint: null };
    return { ok: rollback.ok, problem, rollback };
  } catch (cause) {
    if (!(cause instanceof KaiError)) throw cause;
    const { code, message, hint = null } = cause;
    return { ok: false, problem: { code, message, hint }, rollback: null };
  }
}

interface Where {
  readonly id: string;
  readonly folder: string;
  readonly copy: AgentCopy;
  readonly deployment: ContainerRequest["deployment"];
  readonly places: Places;
}

/** A container for its commands, or why there is none, a sentence. */
async function tryContainer(
  { env, progress, interrupted: signal }: RollbackCaller,
  { repository, config }: AgentRepository,
  { id, folder, copy, deployment, places }: Where,
): Promise<RehearsalContainer | string> {
  const { workTree = "/" } = repository;
  const seconds = Math.ceil(parseDuration(config.snapshot_isolation.cleanup_after) / 1000);
  const objects = await listBorrowed(copy);
  const what = { id, copy: copy.folder, workTree, deployment, objects, seconds };
  const open = async (refresh: boolean) => {
    const settings = planSettings(config.snapshot_isolation, { network: "none", process: "container" });
    const { host } = await findHost(settings, { env, ...places, refresh });
    const own = path.join(folder, refresh ? "again" : "first");
    await mkdir(own);
    return openRehearsalContainer({ ...what, folder: own, host, env, cacheDir: places.cacheDir, signal });
  };
  progress("Starting a container");
  try {
    // What is kept about this machine may be out of date: where nothing starts by it, it is looked at again.
    return await open(false).catch((cause: unknown) => {
      if (!isRefused(cause) || signal?.aborted) throw cause;
      return open(true);
    });
  } catch (cause) {
    if (!isRefused(cause) || signal?.aborted) throw cause;
    return cause.message;
  }
}

const isRefused = (cause: unknown): cause is KaiError => cause instanceof KaiError;

/** What a shell ends with that finds no such program. */
const NOT_FOUND = /\bstatus 127\b/;

function toldOf(
  container: RehearsalContainer | undefined,
  notContained: string | null,
  { problem }: Tried,
): Pick<Rehearsal, "isolation" | "notContained" | "network" | "remarks"> {
  if (container === undefined) return { isolation: "folder", notContained, network: "host", remarks: [] };
  const network = container.network();
  const offline = network?.why ? [`lifecycle.install had no network: ${network.why}`] : [];
  const missing = NOT_FOUND.test(problem?.message ?? "")
    ? [
        "The container has this machine's /usr and /opt, the folders of PATH, and an empty home: a program that lies elsewhere is missing there, though a rollback would find it.",
      ]
    : [];
  return {
    isolation: "container",
    notContained,
    network: network?.toInstall ? "install" : "none",
    remarks: [...offline, ...missing],
  };
}
