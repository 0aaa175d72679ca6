import type { AgentConfig } from "../../agent/config.js";
import { KaiError } from "../../error.js";
import type { VersionFiles } from "../image/version-files.js";

type Images = AgentConfig["snapshot_isolation"]["base_images"];
export type Runtime = "python" | "node" | "other";

/** This machine's own programs, or an image and the key of `base_images` that names it; null where `--image` does. */
export type ChosenBase =
  | { readonly kind: "host" }
  | { readonly kind: "image"; readonly name: string; readonly runtime: string | null };

/** The image of the agent's runtime, else the one called custom. E103 where kai.yaml names neither. */
export function chooseBase(images: Images, runtime: Runtime): ChosenBase {
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

/** What a snapshot is to stand on, and for which runtime its image may be built; null where the caller named one, to be used as it is. */
export interface FoundBase {
  readonly base: ChosenBase;
  readonly runtime: Runtime | null;
}

/** What the caller named, else what kai.yaml has for the runtime of the files. Where it makes no difference they are not looked at. */
export async function findBase(
  images: Images,
  asked: string | null,
  files: () => Promise<VersionFiles>,
): Promise<FoundBase> {
  if (asked === "host" || (asked === null && typeof images === "string"))
    return { base: { kind: "host" }, runtime: null };
  if (asked !== null) return { base: { kind: "image", name: asked, runtime: null }, runtime: null };
  const runtime = await runtimeOf(await files());
  return { base: chooseBase(images, runtime), runtime };
}

/** Told from the names of the files and a few texts; nothing is executed. */
async function runtimeOf(files: VersionFiles): Promise<Runtime> {
  const read = (name: string) =>
    files.read(name).then(
      (bytes) => bytes.toString(),
      () => undefined,
    );
  const { detectFramework } = await import("../../agent/detect-framework.js");
  return (await detectFramework(files.names, read)).runtime;
}
