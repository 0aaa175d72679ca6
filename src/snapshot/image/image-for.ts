import path from "node:path";
import { createClassifier } from "../../agent/component.js";
import type { AgentConfig } from "../../agent/config.js";
import { KaiError } from "../../error.js";
import { AGENT_LABEL, BASE_LABEL, CONTENT_LABEL, findBuiltImage, tagImage } from "../../podman/built-images.js";
import { baseImageMissing, findLocalImages } from "../../podman/local-image.js";
import { makeFolder } from "../../system/durable-file.js";
import { type FileLock, lockFile } from "../../system/file-lock.js";
import type { FoundBase } from "../sandbox/choose-base.js";
import type { SandboxBase } from "../sandbox/sandbox.js";
import { type BuildGround, buildVersionImage } from "./build-version-image.js";
import { contentDigest, formatContainerfile } from "./containerfile.js";
import { imageName } from "./image-name.js";
import { findRecipe } from "./recipe.js";
import type { VersionFiles } from "./version-files.js";

export interface ImageRequest extends BuildGround {
  readonly found: FoundBase;
  readonly files: () => Promise<VersionFiles>;
  readonly config: AgentConfig;
  readonly version: string;
  /** The snapshot whose saved files they are; null where they are the version's. */
  readonly snapshot: string | null;
}

/** What somebody else's build may take for podman's own work, beyond its time-out. */
const PATIENCE_MS = 10 * 60_000;

/**
 * What a sandbox stands on: the host, the image that was chosen, or where the version says what it needs, one that is built from
 * it: once for each content, whatever versions have it. Then podman is asked one question. E103.
 */
export async function imageFor(request: ImageRequest): Promise<SandboxBase> {
  const { found, config, version, snapshot, env } = request;
  const { base, runtime } = found;
  if (base.kind === "host") return base;
  const recipe = runtime === null ? undefined : await recipeOf(request, runtime);
  const tag = imageName(config.agent_id, version, snapshot);
  const name = recipe?.kind === "own" ? recipe.from : base.name;
  const images = await findLocalImages(recipe === undefined ? [name] : [name, tag], env);
  const known = recipe === undefined ? undefined : images.find(({ tags }) => tags.includes(tag));
  const ground = images.find((image) => image !== known);
  if (ground === undefined) throw baseImageMissing(name, base.runtime);
  const { reference } = ground;
  if (recipe === undefined) return { kind: "image", id: ground.id, reference };
  const containerfile = formatContainerfile(recipe, reference);
  const content = contentDigest(containerfile, recipe.files);
  if (known?.labels[CONTENT_LABEL] === content) return { kind: "image", id: known.id, reference };
  const labels = { [AGENT_LABEL]: config.agent_id, [CONTENT_LABEL]: content, [BASE_LABEL]: reference };
  const build = { tag, containerfile, context: recipe.files, labels };
  const id = await onceAtATime(request, async () => {
    const other = await findBuiltImage(content, env);
    if (other === undefined) return buildVersionImage(request, build, { base: ground, recipe, version });
    await tagImage(other, tag, env);
    return other;
  });
  return { kind: "image", id, reference };
}

async function recipeOf({ files, config }: ImageRequest, runtime: NonNullable<FoundBase["runtime"]>) {
  const kindOf = createClassifier(config.version_management.artifacts);
  return findRecipe({ files: await files(), runtime, isEnvironment: (name) => kindOf(name) === "environment" });
}

/** Many snapshots of a version may begin at once: one of them builds, the others find what it made. */
async function onceAtATime<T>(ground: BuildGround, work: () => Promise<T>): Promise<T> {
  await makeFolder(path.resolve(ground.places.cacheDir));
  const lock = await lockImages(ground);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

async function lockImages({ places, settings, env, signal, progress }: BuildGround): Promise<FileLock> {
  const file = path.join(path.resolve(places.cacheDir), "images.lock");
  const request = { holder: "image", interrupted: signal };
  try {
    return await lockFile(file, { ...request, waitMs: 0 }, env);
  } catch (cause) {
    if (!(cause instanceof KaiError) || cause.code !== "E113") throw cause;
  }
  progress("Waiting for another image to be built…");
  return lockFile(file, { ...request, waitMs: settings.limits.timeoutMs + PATIENCE_MS }, env);
}
