import { createHmac, randomInt } from "node:crypto";
import { open, readlink } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { digestFile } from "../../system/file-chunks.js";
import { findProgram } from "../../system/find-program.js";
import { SHORTEST_DIGESTED } from "./secret-marks.js";

/** What a run stood on beside its version's files and image: what has to be the same for it to be repeated. */
export interface RunEnvironment {
  /** Of the machine: the kernel's name, release and processor. */
  readonly kernel: string;
  /** The version of Podman; null where it is not known. */
  readonly podman: string | null;
  readonly runtime: string | null;
  /** The machine's own program that ran; null of one in an image, which is told by the image, and of one in the version's files. */
  readonly program: { readonly path: string; readonly sha256: string } | null;
  /** Of each variable that it was given beside its secrets: HMAC-SHA256 of the value by the run's id; null of what is short enough to be guessed. */
  readonly variables: Readonly<Record<string, string | null>>;
  /** What `KAI_SEED` and `PYTHONHASHSEED` were, unless others were given in their place; null: there was none. */
  readonly seed: number | null;
  /** Of the machine, by IANA's name; null where its /etc/localtime does not say it. */
  readonly timeZone: string | null;
}

/** What it takes to tell. */
export interface RunGiven {
  readonly podman: string | null;
  readonly runtime: string | null;
  readonly image: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly seed: number | null;
}

/** PYTHONHASHSEED takes 32 bits. */
const SEEDS = 2 ** 32;

type Given = Readonly<Record<string, string>>;

/** The one that is given as `KAI_SEED`, so that it draws the same again; else another one for each execution. */
export const seedFor = (given: Given): number => givenSeed(given) ?? randomInt(SEEDS);

function givenSeed({ KAI_SEED: told = "" }: Given): number | undefined {
  return /^\d{1,10}$/.test(told) && Number(told) < SEEDS ? Number(told) : undefined;
}

/** So that what a command draws by chance can be drawn again: none in the place of what `given` says. */
export const seedVariables = (seed: number, given: Given): Record<string, string> =>
  Object.fromEntries(leftTo(given).map((name) => [name, String(seed)]));

/** Those that nobody gave. */
const leftTo = (given: Given): string[] => ["KAI_SEED", "PYTHONHASHSEED"].filter((name) => !(name in given));

export async function environmentOf(id: string, given: RunGiven): Promise<RunEnvironment> {
  const { podman, runtime, image, command, env } = given;
  const digest = (value: string) =>
    Buffer.byteLength(value) < SHORTEST_DIGESTED ? null : createHmac("sha256", id).update(value).digest("hex");
  return {
    kernel: `${os.type()} ${os.release()} ${os.machine()}`,
    podman,
    runtime: runtime && path.basename(runtime),
    program: image === "host" ? await programOf(command[0] ?? "", env["PATH"]) : null,
    variables: Object.fromEntries(
      Object.entries(env)
        .sort()
        .map(([name, value]) => [name, digest(value)]),
    ),
    seed: leftTo(env).length > 0 || givenSeed(env) !== undefined ? given.seed : null,
    timeZone: await machineTimeZone(),
  };
}

/** By localtime(5); to ask `Intl` for it takes as long as all else. No link is UTC. */
async function machineTimeZone(): Promise<string | null> {
  try {
    const target = await readlink("/etc/localtime");
    return /\/zoneinfo\/(.+)$/.exec(target)?.[1] ?? null;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "ENOENT" ? "UTC" : null;
  }
}

/** Where PATH leads inside where nobody gave another. */
const INSIDE = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** What of it is the machine's own. */
const OWN = /^\/(?:usr|s?bin)(?:\/|$)/;

async function programOf(word: string, search = INSIDE): Promise<RunEnvironment["program"]> {
  const folders = word.includes("/") ? [path.posix.dirname(word)] : search.split(":");
  // Of a folder of the version's files, or of an image's, it is not known here what is in it.
  const others = folders.findIndex((folder) => !OWN.test(path.posix.normalize(folder)));
  const file = findProgram(path.posix.basename(word), others < 0 ? folders : folders.slice(0, others));
  if (!file?.startsWith("/usr/")) return null;
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return null;
  try {
    return { path: file, sha256: (await digestFile(handle)).sha256 };
  } finally {
    await handle.close();
  }
}
