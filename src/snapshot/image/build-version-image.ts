import { KaiError } from "../../error.js";
import { type BuildRequest, buildImage } from "../../podman/build-image.js";
import { refuseBuildTriggers } from "../../podman/build-triggers.js";
import type { HostCapabilities } from "../../podman/capabilities.js";
import { cgroupParentFor } from "../../podman/cgroup-usage.js";
import { findLocalImage, type LocalImage } from "../../podman/local-image.js";
import { withProbePlan } from "../../podman/probe-sandbox.js";
import type { Places } from "../snapshot-ground.js";
import type { SnapshotSettings } from "../snapshot-settings.js";
import { buildFailed } from "./build-failed.js";
import { withBuildNetwork } from "./build-network.js";
import type { Recipe } from "./recipe.js";

/** What a build is confined by: the same as the sandbox that it is for. */
export interface BuildGround {
  readonly settings: SnapshotSettings;
  readonly places: Places;
  readonly host: HostCapabilities;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
  progress(message: string): void;
}

/** Builds the image of a version, and gives its id. E103 where that fails, also because its network does not reach what it needs. */
export async function buildVersionImage(
  { settings, places, host, env, signal, progress }: BuildGround,
  build: Pick<BuildRequest, "tag" | "labels" | "containerfile" | "context">,
  { base, recipe, version }: { readonly base: LocalImage; readonly recipe: Recipe; readonly version: string },
): Promise<string> {
  if (host.ownKernel) throw notInVm(version);
  progress(`Building the image of ${version}…`);
  const { limits } = settings;
  const { timeoutMs } = limits;
  const { cpus, memoryBytes, pids } = limits;
  const { result, refused } = await withProbePlan(
    { env, ...places },
    host,
    { limits: { cpus, memoryBytes, pids } },
    async (plan, folder) => {
      await refuseBuildTriggers(base, folder, env);
      return withBuildNetwork(settings, { plan, folder, host, env, signal }, (network) => {
        const cgroupParent = cgroupParentFor(host, `${plan.name}-build`);
        const { seccompProfile } = plan.security;
        const request = { ...build, network, limits, seccompProfile, cgroupParent };
        return buildImage(request, host, { env, folder, timeoutMs, signal });
      });
    },
  );
  const id = result.built ? await findLocalImage(build.tag, env) : undefined;
  if (id === undefined) throw buildFailed(version, recipe, settings, { ...result, refused });
  return id;
}

const notInVm = (version: string): KaiError =>
  new KaiError("E103", `The image of ${version} is not built yet, and a build has no virtual machine around it.`, {
    hint: `\`git kai-version snapshot run ${version} --process container -- true\` builds it in a container; then it is there.`,
  });
