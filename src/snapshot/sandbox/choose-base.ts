import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { AgentConfig } from "../../agent/config.js";
import { detectFramework } from "../../agent/detect-framework.js";
import { KaiError } from "../../error.js";

type Images = AgentConfig["snapshot_isolation"]["base_images"];
type Runtime = "python" | "node" | "other";

/** This machine's own programs, or an image and the key of `base_images` that names it. */
export type SandboxBase =
  | { readonly kind: "host" }
  | { readonly kind: "image"; readonly name: string; readonly runtime: string };

/** The image of the agent's runtime, else the one called custom. E103 where kai.yaml names neither. */
export function chooseBase(images: Images, runtime: Runtime): SandboxBase {
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

/** What a snapshot stands on: what the caller named, else what kai.yaml has for the runtime of the files in `folder`. */
export async function findBase(images: Images, asked: string | null, folder: string): Promise<SandboxBase> {
  if (asked === "host") return { kind: "host" };
  if (asked !== null) return { kind: "image", name: asked, runtime: "custom" };
  // Where it makes no difference the files are not looked at.
  return typeof images === "string" ? { kind: "host" } : chooseBase(images, await runtimeOf(folder));
}

/** Told from the names of the files and a few texts; nothing is executed. */
async function runtimeOf(folder: string): Promise<Runtime> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = files
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
  const read = (name: string) => readFile(path.join(folder, name), "utf8").catch(() => undefined);
  return (await detectFramework(names, read)).runtime;
}
