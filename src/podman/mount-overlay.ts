import { chmod, chown, mkdir, stat } from "node:fs/promises";
import path from "node:path";
import type { HostCapabilities } from "./capabilities.js";
import { hostTool } from "./host-tool.js";
import type { ContainerPlan } from "./plan-container.js";

/** Where an overlay is mounted that podman cannot mount itself: beside its upper folder. */
export const mergedOf = (volume: string): string => path.join(volume, "merged");

/**
 * The plan with what podman cannot mount mounted: an overlay that podman makes for another user namespace is read-only, and
 * runtimes with a kernel of their own know none.
 * `unmountVolume` takes it away again.
 */
export async function mountApp<Plan extends ContainerPlan>(
  plan: Plan,
  host: HostCapabilities,
  env: NodeJS.ProcessEnv,
): Promise<Plan> {
  const { app } = plan;
  if ("folder" in app || !needsOwnMount(plan, host)) return plan;
  const folder = mergedOf(path.dirname(app.upper));
  await mkdir(folder, { recursive: true });
  // The folder itself is seen as its upper one is; podman makes it like the lower one too.
  const { uid, gid, mode } = await stat(app.lower);
  await chown(app.upper, uid, gid);
  await chmod(app.upper, mode);
  const layers = `lowerdir=${app.lower},upperdir=${app.upper},workdir=${app.work}`;
  // That of an earlier start may still be there.
  await unmount([folder], env);
  await hostTool(["mount", "-t", "overlay", "-o", `nosuid,nodev,${layers}`, "overlay", folder], env);
  return { ...plan, app: { folder } };
}

/** Takes file systems away, as soon as nobody uses them; no error where none is mounted. */
export async function unmount(folders: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  await hostTool(["umount", "--quiet", "--lazy", ...folders], env).catch(() => {});
}

const needsOwnMount = (plan: ContainerPlan, host: HostCapabilities): boolean =>
  !host.rootless && (host.ownKernel === true || plan.namespaces?.includes("user") === true);
