import { KaiError } from "../error.js";
import { runPodman } from "./podman.js";

/** The id of an image that is on this machine; undefined where it is not. Never asks a registry. */
export async function findLocalImage(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const result = await runPodman(["image", "inspect", "--format", "{{.Id}}", name], { env });
  const id = result.stdout.toString().trim();
  return result.exitCode === 0 && id !== "" ? id : undefined;
}

/** The same, or E103 with both ways out. `runtime` is the key of `base_images` that names it. */
export async function requireLocalImage(name: string, runtime: string, env: NodeJS.ProcessEnv): Promise<string> {
  const id = await findLocalImage(name, env);
  if (id !== undefined) return id;
  throw new KaiError("E103", `The base image ${name} is not on this machine.`, {
    hint:
      `Run \`podman pull ${name}\`, or set \`base_images: {${runtime}: host}\` under snapshot_isolation in kai.yaml ` +
      "to use this machine's own programs, read-only.",
  });
}
