import type { AgentConfig } from "../agent/config.js";
import { parseDuration, parseSize } from "../agent/quantity.js";
import { KaiError } from "../error.js";
import type { EarlierResult } from "./earlier-results.js";
import type { Expectations } from "./expectations.js";
import type { SandboxBase, SandboxLimits, SandboxSecurity } from "./test-in-sandbox.js";

type Isolation = AgentConfig["snapshot_isolation"];
type Scenario = Isolation["tests"][number];

export interface SandboxSettings {
  base: SandboxBase;
  limits: SandboxLimits;
  security: SandboxSecurity;
  /** What kai.yaml asks for and a test does not do, one sentence each. */
  notes: string[];
}

/** What a sandbox over an agent of `runtime` is to be, by its kai.yaml. Throws E103 where that cannot be done here. */
export function sandboxSettings(isolation: Isolation, runtime: "python" | "node" | "other"): SandboxSettings {
  refuseWhatCannotBe(isolation);
  const { resource_limits: limits, security } = isolation;
  return {
    base: chooseBase(isolation.base_images, runtime),
    limits: {
      cpus: Number(limits.cpu),
      memoryBytes: parseSize(limits.memory),
      storageBytes: parseSize(limits.storage),
      pids: limits.pids,
      timeoutMs: parseDuration(limits.timeout),
    },
    security: {
      seccomp: security.seccomp,
      apparmor: security.apparmor,
      selinux: security.selinux,
      readOnlyRoot: security.read_only_root,
      noNewPrivileges: security.no_new_privileges,
      capabilities: security.capabilities,
      user: { uid: security.run_as_user, gid: security.run_as_group },
    },
    notes: notesOf(isolation),
  };
}

/** The image of the agent's runtime, else the one called custom. */
export function chooseBase(images: Isolation["base_images"], runtime: "python" | "node" | "other"): SandboxBase {
  if (typeof images === "string") return { kind: "host" };
  const key = runtime !== "other" && images[runtime] !== undefined ? runtime : "custom";
  const name = images[key];
  if (name === "host") return { kind: "host" };
  if (name !== undefined) return { kind: "image", name, runtime: key };
  const wanted = runtime === "other" ? "custom" : runtime;
  throw new KaiError("E103", `snapshot_isolation.base_images names nothing to run this agent in (${wanted}).`, {
    hint: `Set \`base_images: {${wanted}: host}\` in kai.yaml, or name an image there.`,
  });
}

/** What a scenario must show; `before` is what it took with a version before, if that is known. */
export const expectationsOf = ({ expect }: Scenario, before?: EarlierResult): Expectations => ({
  exitCode: expect.exit_code,
  stdout: expect.stdout ?? undefined,
  maxDurationMs: expect.max_duration === null ? undefined : parseDuration(expect.max_duration),
  maxMemoryBytes: expect.max_memory === null ? undefined : parseSize(expect.max_memory),
  worseThan:
    expect.worse_than_before === null || before === undefined
      ? undefined
      : { percent: Number.parseFloat(expect.worse_than_before), before },
});

/** What is said of a scenario that should be compared with a version before and is not. */
export const notCompared = ({ name }: Pick<Scenario, "name">): string =>
  `${name} is compared with no version before: none was tested on this machine.`;

function refuseWhatCannotBe(isolation: Isolation): void {
  const refuse = (key: string, message: string, hint: string) => {
    throw new KaiError("E103", `${message} (snapshot_isolation.${key} in kai.yaml)`, { hint });
  };
  if (!isolation.enable) refuse("enable", "Snapshots are switched off.", "Set it to true to test versions.");
  if (isolation.container_runtime !== "podman") {
    refuse("container_runtime", `${isolation.container_runtime} is not supported yet.`, "Set it to podman.");
  }
  if (isolation.default_isolation === "vm") {
    refuse("default_isolation", "A virtual machine cannot be had yet.", "Set it to container.");
  }
  if (isolation.resource_limits.gpu !== null) {
    refuse("resource_limits.gpu", "GPUs cannot be given to a sandbox yet.", "Set it to null.");
  }
}

function notesOf({ network, secrets, filesystem, default_isolation: kind }: Isolation): string[] {
  return [
    ...(network.mode === "none" ? [] : [`Network mode ${network.mode} is not in effect yet: nothing can be reached.`]),
    ...(Object.keys(secrets).length === 0 ? [] : ["Secrets are not given to the sandbox yet."]),
    ...(filesystem === "overlay" ? [] : [`File system ${filesystem} is not in effect yet: an overlay is used.`]),
    ...(kind === "none" ? ["A test always runs in a container, whatever default_isolation says."] : []),
  ];
}
