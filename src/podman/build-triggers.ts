import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import { readStorage } from "./image-storage.js";
import type { LocalImage } from "./local-image.js";
import { runPodman } from "./podman.js";

/** What podman may take to write an image of some gigabytes. */
const SAVING_MS = 10 * 60_000;

/**
 * E103 for an image with instructions that podman would carry out in each build on it (`ONBUILD`): they are nobody's who is asked
 * here, and what they may say (`ADD` of an address, mounts) happens outside of any container. Also where it cannot be told. `folder` is
 * for the time of this.
 */
export async function refuseBuildTriggers(image: LocalImage, folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const config = (await storedConfig(image.id, env)) ?? (await savedConfig(image.id, folder, env));
  if (config === undefined) throw refused(image, "does not show whether it has ONBUILD instructions");
  if (hasTriggers(config)) throw refused(image, "has ONBUILD instructions, which a build here does not carry out");
}

/** A string of JSON, and whether it is the key of a list that is not empty. */
const STRING = /("(?:[^"\\]|\\.)*")(\s*:\s*\[(?!\s*\]))?/g;

/**
 * Whether an image's configuration has triggers as podman reads it: a key in whatever case and at whatever depth counts, also one
 * that is there twice.
 */
export function hasTriggers(config: string): boolean {
  // All strings of what is JSON end.
  JSON.parse(config);
  for (const [, text = "", list] of config.matchAll(STRING)) {
    if (list !== undefined && (JSON.parse(text) as string).toLowerCase() === "onbuild") return true;
  }
  return false;
}

/** The configuration as podman's storage has it, which no command shows whole. */
async function storedConfig(id: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const storage = await readStorage(env);
  if (storage === undefined) return undefined;
  const name = Buffer.from(`sha256:${id}`).toString("base64");
  return readConfig(path.join(storage.root, `${storage.driver}-images`, id, `=${name}`), id);
}

/** The same from a copy of the image, which takes its time: for images that are in another storage. */
async function savedConfig(id: string, folder: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const copy = path.join(folder, "base");
  try {
    // This format leaves the configuration as it is, of both kinds of images.
    const save = ["image", "save", "--quiet", "--format", "docker-dir", "--output", copy, id];
    await runPodman(save, { env, timeoutMs: SAVING_MS });
    return await readConfig(path.join(copy, id), id);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

/** What is not what the image's id is the digest of is none. */
async function readConfig(file: string, id: string): Promise<string | undefined> {
  const bytes = await readFile(file).catch(() => undefined);
  if (bytes === undefined || createHash("sha256").update(bytes).digest("hex") !== id) return undefined;
  return bytes.toString();
}

const refused = ({ reference }: LocalImage, what: string): KaiError =>
  new KaiError("E103", `Nothing is built on the image ${reference}: it ${what}.`, {
    hint: "Name another base image, or build one with what it asks for yourself (`podman build`) and name that; `--image NAME` uses an image as it is.",
  });
