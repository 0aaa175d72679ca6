import { chmod, chown, lstat, stat } from "node:fs/promises";
import path from "node:path";
import { makeFolder } from "../system/durable-file.js";
import type { HostCapabilities } from "./capabilities.js";
import { hostTool } from "./host-tool.js";
import type { ContainerPlan } from "./plan-container.js";

/** Where overlays are mounted that podman cannot mount itself: beside their upper folders. */
export const mergedIn = (volume: string): string[] => [path.join(volume, "merged"), path.join(volume, "merged-root")];

/**
 * The plan with what podman cannot mount mounted: an overlay that podman makes for another user namespace is read-only,
 * runtimes with a kernel of their own know none, and the one over a root writes to podman's own storage, without a limit.
 * `unmountVolume` takes them away again.
 */
export const mountOverlays = async <Plan extends ContainerPlan>(
  plan: Plan,
  host: HostCapabilities,
  env: NodeJS.ProcessEnv,
): Promise<Plan> => mountRoot(await mountApp(plan, host, env), env);

async function mountApp<Plan extends ContainerPlan>(plan: Plan, host: HostCapabilities, env: NodeJS.ProcessEnv) {
  const { app } = plan;
  if ("folder" in app || !needsOwnMount(plan, host)) return plan;
  const [folder = ""] = mergedIn(path.dirname(app.upper));
  // The folder itself is seen as its upper one is; podman makes it like the lower one too.
  const { uid, gid, mode } = await stat(app.lower);
  await chmod(app.upper, mode);
  await mountOverlay(folder, app, { uid, gid }, env);
  return { ...plan, app: { folder } };
}

async function mountRoot<Plan extends ContainerPlan>(plan: Plan, env: NodeJS.ProcessEnv): Promise<Plan> {
  const { root } = plan;
  if (root.kind !== "skeleton" || root.changes === undefined) return plan;
  const { upper, work } = root.changes;
  const [, folder = ""] = mergedIn(path.dirname(upper));
  await Promise.all([upper, work].map((each) => makeFolder(each, 0o777)));
  await chmod(upper, 0o755);
  // Podman's own is the user's, too.
  await mountOverlay(folder, { lower: root.path, upper, work }, plan.user, env);
  return { ...plan, root: { ...root, path: folder } };
}

async function mountOverlay(
  folder: string,
  { lower, upper, work }: { lower: string; upper: string; work: string },
  owner: { uid: number; gid: number },
  env: NodeJS.ProcessEnv,
): Promise<void> {
  await makeFolder(folder, 0o777);
  await chown(upper, owner.uid, owner.gid);
  const layers = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  // That of an earlier start may still be there.
  await unmount([folder], env);
  await hostTool(["mount", "-t", "overlay", "-o", `nosuid,nodev,${layers}`, "overlay", folder], env);
}

/** Takes file systems away, as soon as nobody uses them; no error where none is mounted. What a link leads to is left. */
export async function unmount(folders: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const links = await Promise.all(folders.map(isLink));
  const mounted = folders.filter((_folder, index) => !links[index]);
  if (mounted.length > 0) await hostTool(["umount", "--quiet", "--lazy", ...mounted], env).catch(() => {});
}

/** Of a file system that is broken nothing can be said, and it can be taken away all the same. */
const isLink = (folder: string): Promise<boolean> =>
  lstat(folder).then(
    (stat) => stat.isSymbolicLink(),
    () => false,
  );

const needsOwnMount = (plan: ContainerPlan, host: HostCapabilities): boolean =>
  !host.rootless && (host.ownKernel === true || plan.namespaces?.includes("user") === true);
