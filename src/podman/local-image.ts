import { KaiError } from "../error.js";
import { runPodman } from "./podman.js";

/** An image that is on this machine. */
export interface LocalImage {
  /** Digest of its configuration, and so of all that it holds. */
  readonly id: string;
  /** What finds it again whatever its tags name by then: `docker.io/library/python@sha256:…`. */
  readonly reference: string;
  readonly tags: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** Those of the images `names` that are on this machine, in that order, by one call of podman. Never asks a registry. */
export async function findLocalImages(names: readonly string[], env: NodeJS.ProcessEnv): Promise<LocalImage[]> {
  // Where one is missing the exit status says so, and the others are told all the same.
  const { stdout } = await runPodman(["image", "inspect", ...names], { env });
  return parseImages(stdout.toString());
}

/** The id of an image that is on this machine; undefined where it is not. */
export const findLocalImage = async (name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> =>
  (await findLocalImages([name], env))[0]?.id;

/** E103 with both ways out. `runtime` is the key of `base_images` that names it; null where the caller did. */
export function baseImageMissing(name: string, runtime: string | null): KaiError {
  const host =
    runtime === null
      ? "give `--image host`"
      : `set \`base_images: {${runtime}: host}\` under snapshot_isolation in kai.yaml`;
  return new KaiError("E103", `The base image ${name} is not on this machine.`, {
    hint: `Run \`podman pull ${name}\`, or ${host} to use this machine's own programs, read-only.`,
  });
}

interface ImageDocument {
  Id: string;
  Digest?: string;
  RepoTags?: string[] | null;
  RepoDigests?: string[] | null;
  Labels?: Record<string, string> | null;
}

const parseImages = (json: string): LocalImage[] =>
  (JSON.parse(json || "[]") as ImageDocument[]).map(({ Id, Digest, RepoTags, RepoDigests, Labels }) => ({
    id: Id,
    reference: RepoDigests?.find((each) => each.endsWith(`@${Digest}`)) ?? RepoDigests?.[0] ?? Id,
    tags: RepoTags ?? [],
    labels: Labels ?? {},
  }));
