import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { parse } from "yaml";
import { KaiError } from "../error.js";
import type { Feature } from "./capabilities.js";

/** What a container's plan needs to have GPUs. */
export interface ChosenGpus {
  /** As `--device` takes them. */
  devices: string[];
  /** Groups that the sandbox's user must be in to open them. */
  groups: number[];
}

export interface GpuPlaces {
  /** Where the vendors' tools write what devices there are. */
  cdi: readonly string[];
  /** Where the kernel shows them. */
  dri: string;
}

const PLACES: GpuPlaces = { cdi: ["/etc/cdi", "/var/run/cdi"], dri: "/dev/dri" };

const REMEDY =
  "Install the vendor's driver and have its container toolkit describe the devices, e.g. " +
  "`nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml`; or set snapshot_isolation.resource_limits.gpu to null.";

/** The GPUs of this machine, as a feature. */
export async function gpuFeature(places: GpuPlaces = PLACES): Promise<Feature> {
  const names = (await listGpus(places)).map(({ device }) => device);
  return names.length === 0
    ? { name: "gpu", state: "missing", detail: "there is none", remedy: REMEDY }
    : { name: "gpu", state: "ok", detail: names.join(", ") };
}

/** `wanted` GPUs: how many, or `all` that there are. Throws E103 where there are none, or fewer. */
export async function chooseGpus(wanted: string, places: GpuPlaces = PLACES): Promise<ChosenGpus> {
  const all = await listGpus(places);
  const count = wanted === "all" ? all.length : Number(wanted);
  if (all.length === 0 || all.length < count) {
    const asked = wanted === "all" ? "GPUs are" : `${count} ${count === 1 ? "GPU is" : "GPUs are"}`;
    const there = all.length === 0 ? "none" : all.map(({ device }) => device).join(", ");
    throw new KaiError("E103", `${asked} asked for, and this machine has ${there}.`, { hint: REMEDY });
  }
  const chosen = all.slice(0, count);
  return {
    devices: chosen.map(({ device }) => device),
    groups: [...new Set(chosen.flatMap(({ group }) => (group === undefined ? [] : [group])))],
  };
}

interface Gpu {
  device: string;
  group?: number;
}

/** Those that a vendor describes; else those that can render. */
async function listGpus({ cdi, dri }: GpuPlaces): Promise<Gpu[]> {
  const described = await Promise.all(cdi.map(describedGpus));
  const names = [...new Set(described.flat())].sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
  return names.length > 0 ? names.map((device) => ({ device })) : renderNodes(dri);
}

/** As the Container Device Interface has them, version 0.5.0: a device is called `vendor/class=name`. */
interface CdiSpec {
  kind?: unknown;
  devices?: { name?: unknown }[] | null;
}

async function describedGpus(folder: string): Promise<string[]> {
  const files = (await readdir(folder).catch(() => [])).filter((name) => /\.(?:json|ya?ml)$/.test(name));
  if (files.length === 0) return [];
  const specs = await Promise.all(
    files.map(async (name) => parseSpec(await readFile(path.join(folder, name), "utf8").catch(() => ""))),
  );
  return specs.flatMap(({ kind, devices }) =>
    // `all`, and names of the same device once more, are left out.
    typeof kind === "string" && kind.endsWith("/gpu")
      ? (devices ?? []).flatMap(({ name }) => (/^\d+$/.test(String(name)) ? [`${kind}=${name}`] : []))
      : [],
  );
}

function parseSpec(text: string): CdiSpec {
  try {
    return (parse(text) as CdiSpec | null) ?? {};
  } catch {
    // Podman does not understand it either.
    return {};
  }
}

async function renderNodes(folder: string): Promise<Gpu[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => /^renderD\d+$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const device = path.join(folder, name);
      return { device, group: (await stat(device)).gid };
    }),
  );
}
