import type { AgentConfig } from "../../agent/config.js";
import { KaiError } from "../../error.js";
import { findLocalImages } from "../../podman/local-image.js";
import { type Check, ok, warn } from "./check.js";

export type BaseImages = AgentConfig["snapshot_isolation"]["base_images"];

/** Whether the images that an agent's base_images names are on this machine; nothing where it names none, or podman is not here. */
export async function checkBaseImages(images: BaseImages | undefined, env: NodeJS.ProcessEnv): Promise<Check[]> {
  const named = images === undefined || typeof images === "string" ? [] : Object.entries(images);
  const wanted = named.filter(([, name]) => name !== "host");
  const checks = await Promise.all(wanted.map(([runtime, name]) => checkImage(runtime, name, env)));
  return checks.flat();
}

async function checkImage(runtime: string, name: string, env: NodeJS.ProcessEnv): Promise<Check[]> {
  const title = `image for ${runtime}`;
  try {
    const [found] = await findLocalImages([name], env);
    if (found !== undefined) return [ok(title, found.reference)];
  } catch (cause) {
    if (cause instanceof KaiError && cause.code === "E117") return [];
    throw cause;
  }
  const remedy = `Run \`podman pull ${name}\`, or set it to host in base_images.`;
  return [warn(title, `${name} is not on this machine`, remedy)];
}
