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

/** An image that was built from a version of some agent. */
export interface BuiltImage {
  readonly id: string;
  /** Without one it has lost its name to a newer one. */
  readonly names: readonly string[];
  /** How many stand on it. */
  readonly containers: number;
}

/** Those that are on this machine. */
export async function listBuiltImages(env: NodeJS.ProcessEnv): Promise<BuiltImage[]> {
  const args = ["image", "ls", "--no-trunc", "--filter", `label=${AGENT_LABEL}`, "--format", "json"];
  const { stdout } = await runPodman(args, { env });
  const images = JSON.parse(stdout.toString() || "[]") as {
    Id: string;
    Names?: string[] | null;
    Containers?: number;
  }[];
  return images.map(({ Id, Names, Containers }) => ({ id: Id, names: Names ?? [], containers: Containers ?? 0 }));
}

/** Takes a name from an image, and with the last one the image away; by its id, one that has none. False where it stays. */
export const removeImage = async (nameOrId: string, env: NodeJS.ProcessEnv): Promise<boolean> =>
  (await runPodman(["image", "rm", nameOrId], { env })).exitCode === 0;
