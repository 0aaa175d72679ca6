import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { BASE_LABEL } from "../../src/podman/built-images.js";
import { findLocalImages } from "../../src/podman/local-image.js";
import { scratch } from "../support/scratch.js";

const PROGRAMS =
  "[ cat cp cut date echo env grep head id ip ls mkdir nc od printf ps rm sh sleep sort tail test touch tr true wget".split(
    " ",
  );
let made = 0;

export interface BaseImage {
  readonly name: string;
  /** With its digest. */
  readonly reference: string;
}

/** A root folder of busybox and these scripts, `without` some of its programs. */
export function baseFolder(
  folder: string,
  scripts: Readonly<Record<string, string>>,
  without: readonly string[] = [],
): void {
  for (const name of ["bin", "etc", "tmp", "dev", "proc", "sys", "app"]) mkdirSync(path.join(folder, name));
  chmodSync(folder, 0o755);
  cpSync("/bin/busybox", path.join(folder, "bin/busybox"), { dereference: true });
  for (const name of PROGRAMS.filter((each) => !without.includes(each)))
    symlinkSync("busybox", path.join(folder, "bin", name));
  for (const [name, script] of Object.entries(scripts)) {
    const text = script.startsWith("#!") ? script : `#!/bin/sh\nset -e\n${script}\n`;
    writeFileSync(path.join(folder, "bin", name), text, { mode: 0o755 });
  }
  writeFileSync(path.join(folder, "etc/passwd"), "root:x:0:0:root:/:/bin/sh\n");
}

/** An image of such a folder, which no other test has; it goes with all that was built on it when the test ends. */
export async function baseImage(
  scripts: Readonly<Record<string, string>> = {},
  without: readonly string[] = [],
): Promise<BaseImage> {
  const { env } = scratch();
  const folder = mkdtempSync(path.join(tmpdir(), "kai-base-"));
  baseFolder(folder, scripts, without);
  const name = `localhost/kai-test-base-${process.pid}:${++made}`;
  writeFileSync(path.join(folder, "etc/name"), name);
  execFileSync("sh", ["-c", `tar -C '${folder}' -cf - . | podman import - ${name}`], { env, stdio: "ignore" });
  rmSync(folder, { recursive: true });
  const [{ id, reference } = { id: name, reference: "" }] = await findLocalImages([name], env);
  onTestFinished(() => {
    const images = [...imagesWith(env, `${BASE_LABEL}=${reference}`), id];
    execFileSync("podman", ["rmi", "--force", "--ignore", ...images], { env, stdio: "ignore" });
  });
  return { name, reference };
}

/** An image on that of this name, with what a build on it would first do. */
export async function triggeringImage(base: string, triggers: readonly string[]): Promise<BaseImage> {
  const { env, dir } = scratch();
  const name = `localhost/kai-test-base-${process.pid}:${++made}`;
  const file = path.join(dir, "Containerfile");
  writeFileSync(file, [`FROM ${base}`, ...triggers.map((each) => `ONBUILD ${each}`)].join("\n"));
  const options = ["--format", "docker", "--pull=never", "--tag", name, "--file", file, dir];
  execFileSync("podman", ["build", ...options], { env, stdio: "ignore" });
  const [{ id, reference } = { id: name, reference: "" }] = await findLocalImages([name], env);
  onTestFinished(() => {
    const images = [...imagesWith(env, `${BASE_LABEL}=${reference}`), id];
    execFileSync("podman", ["rmi", "--force", "--ignore", ...images], { env, stdio: "ignore" });
  });
  return { name, reference };
}

/** The ids of images that bear a label. */
export const imagesWith = (env: NodeJS.ProcessEnv, label: string): string[] => [
  ...new Set(
    execFileSync("podman", ["image", "ls", "--no-trunc", "--quiet", "--filter", `label=${label}`], {
      env,
      encoding: "utf8",
    })
      .split("\n")
      .filter(Boolean)
      .map((id) => id.replace(/^sha256:/, "")),
  ),
];

/** The names of images that bear a label. */
export const tagsWith = (env: NodeJS.ProcessEnv, label: string): string[] =>
  execFileSync("podman", ["image", "ls", "--filter", `label=${label}`, "--format", "{{.Repository}}:{{.Tag}}"], {
    env,
    encoding: "utf8",
  })
    .split("\n")
    .filter(Boolean)
    .sort();

/** What is left of builds on `base`: Podman's own containers, and processes that slept so long. */
export function leftOfBuilds(base: string, seconds = "none"): { processes: string[]; containers: string[] } {
  const { env } = scratch();
  const containers = listOfAll(env).split("\n");
  const processes = readdirSync("/proc").filter((id) => /^\d+$/.test(id) && commandOf(id) === `sleep\0${seconds}\0`);
  return { processes, containers: containers.filter((line) => line.includes(base)) };
}

/** Podman gives up where a container of somebody else's build goes while it lists them: then it is asked again. */
function listOfAll(env: NodeJS.ProcessEnv): string {
  for (;;) {
    const format = ["ps", "--all", "--external", "--format", "{{.Names}} {{.Image}}"];
    const { status, stdout, stderr } = spawnSync("podman", format, { env, encoding: "utf8" });
    if (status === 0) return stdout;
    if (!stderr.includes("container not known")) throw new Error(stderr);
  }
}

function commandOf(id: string): string {
  try {
    return readFileSync(`/proc/${id}/cmdline`, "latin1");
  } catch {
    return "";
  }
}
