import { lstat, mkdir, symlink } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../../error.js";
import { type HostCapabilities, has } from "../../podman/capabilities.js";
import { copyFolder, writeWhiteout } from "../../podman/folders.js";
import { mountTmpfs, seenHere } from "../../podman/tmpfs.js";
import { mountVolume, remountVolume } from "../../podman/volume.js";
import { readCopyChanges } from "../ingest/copy-changes.js";
import type { FoundChanges } from "../ingest/found-changes.js";
import { readOverlayChanges } from "../ingest/overlay-changes.js";
import type { SnapshotSettings } from "../snapshot-settings.js";
import { volumeOf } from "./sandbox-folder.js";

/** Where a sandbox's files lie: over a tree that others share, or a copy of it of its own. */
export type Layers =
  | { readonly kind: "overlay"; readonly lower: string; readonly upper: string; readonly work: string }
  | { readonly kind: "copy"; readonly lower: string; readonly copy: string };

/** A sandbox's files are a copy of its own where nothing is laid over the shared ones. */
export const isCopied = ({ type, filesystem }: Pick<SnapshotSettings, "type" | "filesystem">): boolean =>
  type === "full" || filesystem === "none";

type Shape = Pick<SnapshotSettings, "type" | "filesystem">;

/** The layers in a sandbox's folder, as podman sees them, whether made yet or not. */
export const layersIn = (folder: string, shape: Shape): Layers => layersOf(folder, volumeOf(folder), shape);

function layersOf(folder: string, volume: string, shape: Shape): Layers {
  // A link without a colon or comma in its name, whatever the version's folder is called.
  const lower = path.join(folder, "lower");
  return isCopied(shape)
    ? { kind: "copy", lower, copy: path.join(volume, "app") }
    : { kind: "overlay", lower, upper: path.join(volume, "upper"), work: path.join(volume, "work") };
}

export interface LayersRequest {
  readonly tree: string;
  readonly folder: string;
  readonly settings: SnapshotSettings;
  readonly env: NodeJS.ProcessEnv;
  readonly cacheDir: string;
}

/** Makes the layers over `tree` in `folder`, on a file system of limited size where the host has one. */
export async function makeLayers(request: LayersRequest, host: HostCapabilities): Promise<void> {
  const { tree, folder, settings, env } = request;
  const lower = path.join(folder, "lower");
  await symlink(path.resolve(tree), lower);
  const layers = layersOf(folder, await makeVolume(request, host), settings);
  if (layers.kind === "copy") {
    await copyFolder(path.resolve(tree), layers.copy, env);
    return;
  }
  await mkdir(layers.upper);
  await mkdir(layers.work);
  await hideRepository(tree, layers.upper, env);
}

/** The file system that they lie on, by the path that this process sees it at. */
async function makeVolume({ folder, settings, env, cacheDir }: LayersRequest, host: HostCapabilities): Promise<string> {
  const volume = volumeOf(folder);
  const { storageBytes } = settings.limits;
  if (settings.filesystem === "tmpfs") return mountTmpfs(volume, storageBytes, host.rootless, env);
  if (has(host, "storage")) await mountVolume(volume, storageBytes, env, cacheDir);
  else await mkdir(volume);
  return volume;
}

/**
 * The layers as this process sees them; after a restart of the machine their file system is mounted again. Undefined where they
 * are gone, as those in memory are then.
 */
export async function findLayers(
  folder: string,
  shape: Shape,
  { rootless, env }: { readonly rootless: boolean; readonly env: NodeJS.ProcessEnv },
): Promise<Layers | undefined> {
  const volume = volumeOf(folder);
  const seen = shape.filesystem === "tmpfs" ? await seenHere(volume, rootless, env) : volume;
  if (seen === undefined) return undefined;
  const layers = layersOf(folder, seen, shape);
  if (await isThere(changedFolder(layers))) return layers;
  if (shape.filesystem === "tmpfs" || !(await isThere(volume))) return undefined;
  await remountVolume(volume, env);
  return (await isThere(changedFolder(layers))) ? layers : undefined;
}

const isThere = async (file: string): Promise<boolean> => (await lstat(file).catch(() => undefined)) !== undefined;

async function hideRepository(tree: string, upper: string, env: NodeJS.ProcessEnv): Promise<void> {
  if ((await lstat(path.join(tree, ".git")).catch(() => undefined)) === undefined) return;
  if (await writeWhiteout(path.join(upper, ".git"), env)) return;
  throw new KaiError("E103", "The repository's .git could not be hidden from the sandbox.", {
    hint: "Give a folder without .git, or put temp_dir on a file system with device nodes.",
  });
}

/** What was changed in them, while nothing runs there. */
export const readChanges = (
  layers: Layers,
  host: { rootless: boolean; env: NodeJS.ProcessEnv },
): Promise<FoundChanges> => (layers.kind === "copy" ? readCopyChanges(layers) : readOverlayChanges(layers, host));

/** The folder that holds what was added and modified. */
export const changedFolder = (layers: Layers): string => (layers.kind === "copy" ? layers.copy : layers.upper);
