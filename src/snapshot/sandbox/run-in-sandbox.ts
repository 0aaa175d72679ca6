import { KaiError } from "../../error.js";
import type { HostCapabilities } from "../../podman/capabilities.js";
import type { CommandStreams } from "../../podman/command-streams.js";
import { type ContainerResult, runContainer } from "../../podman/run-container.js";
import type { RunningContainer } from "../../podman/start-container.js";
import { notStarted } from "../../podman/start-container.js";
import { StartMark } from "../../podman/start-mark.js";
import { proxyEnvironment } from "../egress/proxy-environment.js";
import type { EgressRequest } from "../egress/request-log.js";
import { requestsOf } from "../egress/requests-of.js";
import type { Egress } from "../egress/serve-egress.js";
import type { FoundChanges } from "../ingest/found-changes.js";
import { seedVariables } from "../runs/run-environment.js";
import type { SnapshotSettings } from "../snapshot-settings.js";
import { ExecutionOutput } from "./execution-output.js";
import { limitEachProcess } from "./memory-stand-in.js";
import { prepareSandbox, type SandboxParts } from "./sandbox.js";
import { pidFileIn } from "./sandbox-folder.js";
import { findLayers, type Layers, readChanges } from "./sandbox-layers.js";
import { EGRESS_PORT, limitNetwork, openEgress } from "./sandbox-network.js";
import { secretLines, takeSecrets } from "./secret-lines.js";

export interface RunRequest extends SandboxParts, CommandStreams {
  /** A program and its arguments. */
  readonly command: readonly [string, ...string[]];
  /** Values, by variable; its shell gets them, and nothing that is written of the container. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly seed: number;
  /** Where the whole output is logged; undefined: nowhere. */
  readonly logs: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What came of a command that was a container's only one. */
export interface RanInSandbox {
  readonly result: ContainerResult;
  readonly output: { readonly stdout: Buffer; readonly stderr: Buffer; readonly dropped: number };
  readonly requests: readonly EgressRequest[];
  readonly requestsDropped: number;
  readonly layers: Layers;
  readonly found: FoundChanges;
  readonly image: string;
}

/** The container's own clock is a second line: it only counts when this process is gone. */
const OWN_CLOCK_GRACE_S = 15;

/**
 * Runs a command over a tree in a container that is gone again, and looks at what it changed; the folder stays. Undefined where
 * podman could not start it and `mayFail` is set; else E103.
 */
export async function runInSandbox(
  request: RunRequest,
  host: HostCapabilities,
  { mayFail }: { readonly mayFail: boolean },
): Promise<RanInSandbox | undefined> {
  const { id, env, folder, timeoutMs, settings, secrets, signal } = request;
  const output = await ExecutionOutput.open({
    folder: request.logs,
    id,
    secrets: Object.values(secrets),
    onChunk: request.onChunk,
  });
  const mark = new StartMark(output.take, { ownKernel: host.ownKernel === true });
  const { plan, image } = await prepareSandbox(
    { ...request, seconds: Math.ceil(timeoutMs / 1000) + OWN_CLOCK_GRACE_S },
    // Through the shell, a program that is not there is the command's own failure (127), not podman's.
    [
      "/bin/sh",
      "-c",
      `${takeSecrets(secrets)}${waiting(settings, request)}${standInFor(host, settings.limits)}${mark.script}${AS_CHILD}`,
      "sh",
      ...request.command,
    ],
    host,
  );
  const { network } = settings;
  let egress: Egress | undefined;
  const isolated = network.mode === "isolated";
  const before = async (container: RunningContainer) => {
    await limitNetwork(container, settings, host.rootless, env);
    if (isolated) egress = await openEgress(container, settings, { rootless: host.rootless, env, signal });
  };
  const proxy = isolated ? proxyEnvironment(EGRESS_PORT) : {};
  const waits = network.mode !== "none";
  const given = secretLines(secrets);
  const { stdin, unread } = request;
  const result = await runContainer(
    {
      ...plan,
      env: { ...seedVariables(request.seed, plan.env), ...plan.env, ...proxy },
      interactive: reads(settings, request),
      ...(waits && { pidFile: pidFileIn(folder) }),
    },
    host,
    { env, folder, timeoutMs, mark, given, stdin, unread, signal, ...(waits && { before }) },
  ).finally(() => egress?.close());
  const kept = await output.end();
  if (!result.started) {
    if (mayFail) return undefined;
    throw notStarted(mark.words);
  }
  const reader = { rootless: host.rootless, env };
  const layers = await findLayers(folder, settings, reader);
  if (layers === undefined) throw new KaiError("E103", "The sandbox's files are gone.");
  const found = await readChanges(layers, reader);
  return { result, output: kept, ...requestsOf(egress), layers, found, image };
}

/**
 * The command beside a shell that stays the container's first process, whose words are nobody's: the kernel lets a first process ignore
 * what kills any other one, a signal of its own too, and whoever is orphaned waits for it to be buried.
 */
const AS_CHILD = 'exec 3>&2 2>/dev/null; (exec "$@" 2>&3 3>&-); exit $?';

/** A command on a network begins when that is ready: a line on stdin says so, and what is behind it is the command's own. */
const waiting = (settings: SnapshotSettings, request: RunRequest): string => {
  const line = settings.network.mode === "none" ? "" : "read -r _; ";
  return request.stdin === undefined && reads(settings, request) ? `${line}exec </dev/null; ` : line;
};

/** Whether its shell, or the command, has something to read. */
const reads = ({ network }: SnapshotSettings, { stdin, secrets }: RunRequest): boolean =>
  network.mode !== "none" || stdin !== undefined || Object.keys(secrets).length > 0;

const standInFor = (host: HostCapabilities, limits: RunRequest["settings"]["limits"]): string =>
  host.features.some(({ name, state }) => name === "memory" && state === "ok") ? "" : limitEachProcess(limits);
