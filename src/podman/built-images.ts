import { KaiError } from "../error.js";
import { runPodman } from "./podman.js";

/** The labels of an image that was built from a version: whose it is, what it was built from, and on what. */
export const AGENT_LABEL = "io.kai.agent";
export const CONTENT_LABEL = "io.kai.content";
export const BASE_LABEL = "io.kai.base";

/** What the names of such images begin with. No registry can give an image a name under localhost. */
export const BUILT_PREFIX = "localhost/kai-agent-";

/** The id of an image that was built from this content; undefined where there is none. */
export async function findBuiltImage(content: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const { stdout } = await runPodman(
    ["image", "ls", "--no-trunc", "--filter", `label=${CONTENT_LABEL}=${content}`, "--format", "json"],
    { env },
  );
  const images = JSON.parse(stdout.toString() || "[]") as { Id: string; Names?: string[] | null }[];
  // One that was pulled may bear any label.
  return images.find(({ Names }) => Names?.some((name) => name.startsWith(BUILT_PREFIX)))?.Id;
}

/** Gives an image one more name, which another one loses that had it. */
export async function tagImage(id: string, tag: string, env: NodeJS.ProcessEnv): Promise<void> {
  const { exitCode, stderr } = await runPodman(["image", "tag", id, tag], { env });
  if (exitCode !== 0) throw new KaiError("E103", `The image could not be named ${tag}: ${stderr.toString().trim()}`);
}

/**
 * Removes the images built from versions that have lost their name to a newer one and that no container stands on. Gives
 * their ids, shortened.
 */
export async function removeUnnamedImages(env: NodeJS.ProcessEnv): Promise<string[]> {
  const filters = ["--filter", "dangling=true", "--filter", `label=${AGENT_LABEL}`];
  const { stdout } = await runPodman(["image", "ls", ...filters, "--format", "{{.ID}}"], { env });
  const removed: string[] = [];
  for (const id of new Set(stdout.toString().split("\n").filter(Boolean))) {
    const { exitCode } = await runPodman(["image", "rm", id], { env });
    if (exitCode === 0) removed.push(id);
  }
  return removed;
}
