import { randomUUID } from "node:crypto";
import { chown, mkdir, mkdtemp, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import { makeFolder } from "../system/durable-file.js";
import { ownIdentity } from "../system/process-identity.js";
import { reasonOf } from "../system/reason-of.js";
import { featureOf, type HostCapabilities } from "./capabilities.js";
import { removeFolder } from "./folders.js";
import { OWNER_LABEL } from "./leftovers.js";
import type { ContainerPlan, Namespace } from "./plan-container.js";
import { seccompProfile } from "./seccomp-profile.js";
import { skeletonRoot } from "./skeleton-root.js";
import { ownerOutside } from "./user-mapping.js";
import { unmountVolume } from "./volume.js";

export interface ProbePlaces {
  env: NodeJS.ProcessEnv;
  /** Where what was found is kept, and the skeleton root. */
  cacheDir: string;
  /** Where sandboxes will have their folders: whether overlay works depends on its file system. */
  tempDir: string;
}

const USER = { uid: 1000, gid: 1000 };

/** The process that probes in a folder of this name; undefined where it is no such folder. */
export const proberOf = (name: string): number | undefined => {
  const text = /^kai-probe-(\d+)-/.exec(name)?.[1];
  return text === undefined ? undefined : Number(text);
};

/** Gives `use` a plan for a container over nothing, as a sandbox's is, and its folder, which is removed afterwards. */
export async function withProbePlan<Result>(
  { env, cacheDir, tempDir }: ProbePlaces,
  host: HostCapabilities,
  choices: { limits: Omit<ContainerPlan["limits"], "seconds">; namespaces?: readonly Namespace[] },
  use: (plan: Omit<ContainerPlan, "command">, folder: string) => Promise<Result>,
): Promise<Result> {
  await requireFolder(tempDir, "Sandboxes have their folders there: choose another snapshot_isolation.temp_dir.");
  await requireFolder(
    cacheDir,
    "What this machine can do is kept below `$KAI_HOME`, or in your home folder where that is not set: let it be a folder that you can write to.",
  );
  const folder = await mkdtemp(path.join(tempDir, `kai-probe-${process.pid}-`));
  const inside = (name: string): string => path.join(folder, name);
  try {
    for (const name of ["lower", "upper", "work"]) await mkdir(inside(name));
    // Podman gives the upper folder the owner of the lower one.
    const owner = ownerOutside(USER, choices.namespaces);
    if (!host.rootless) await chown(inside("lower"), owner.uid, owner.gid);
    await writeFile(inside("seccomp.json"), JSON.stringify(seccompProfile()));
    const skeleton = await skeletonRoot(path.resolve(cacheDir), USER, choices.namespaces);
    await symlink(skeleton.path, inside("root"));
    const plan = {
      name: `kai-probe-${randomUUID()}`,
      labels: { [OWNER_LABEL]: ownIdentity() },
      root: { ...skeleton, path: inside("root") },
      app:
        featureOf(host, "overlay")?.state === "missing"
          ? { folder: inside("lower") }
          : { lower: inside("lower"), upper: inside("upper"), work: inside("work") },
      user: USER,
      security: {
        seccompProfile: inside("seccomp.json"),
        apparmor: true,
        selinux: true,
        readOnlyRoot: true,
        noNewPrivileges: true,
        capabilities: [],
      },
      limits: { ...choices.limits, seconds: 30 },
      ...(choices.namespaces && { namespaces: choices.namespaces }),
      env: {},
      cgroupParent: undefined,
    };
    return await use(plan, folder);
  } finally {
    await unmountVolume(folder, env);
    await removeFolder(folder, host.rootless, env);
  }
}

async function requireFolder(folder: string, hint: string): Promise<void> {
  try {
    await makeFolder(path.resolve(folder));
  } catch (cause) {
    const why = reasonOf(cause instanceof KaiError ? cause.cause : cause);
    throw new KaiError("E118", `No folder can be made at ${folder}: ${why}.`, { hint, cause });
  }
}
