import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { featureOf } from "../../src/podman/capabilities.js";
import { probeHost } from "../../src/podman/probe-host.js";
import { probeOptions } from "../../src/podman/probe-options.js";
import { scratch } from "../support/scratch.js";

test("finds a runtime that starts containers here, and looks again only when told", async () => {
  const { dir, env } = scratch();
  const request = { env, cacheDir: path.join(dir, "cache"), tempDir: path.join(dir, "temp") };
  const host = await probeHost(request);
  expect(host.runtime).toBeDefined();
  for (const name of ["podman", "runtime", "overlay", "network", "seccomp"] as const) {
    expect(featureOf(host, name)).toMatchObject({ state: "ok" });
  }
  expect(readdirSync(request.tempDir)).toEqual([]);

  const file = path.join(request.cacheDir, "podman-host.json");
  const kept = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ ...kept, host: { ...kept.host, runtime: "the-kept-one" } }));
  expect(await probeHost(request)).toMatchObject({ runtime: "the-kept-one" });
  expect(await probeHost({ ...request, refresh: true })).toMatchObject({ runtime: host.runtime });
});

test("that a limit does nothing here is believed for minutes, that it bites for good", async () => {
  const { dir, env } = scratch();
  const request = { env, cacheDir: path.join(dir, "cache"), tempDir: path.join(dir, "temp") };
  const at = (time: string) => ({ ...request, now: () => new Date(time) });
  const host = await probeHost(at("2026-03-02T09:00:00Z"));
  const file = path.join(request.cacheDir, "podman-host.json");
  const keep = (state: string) => {
    const features = host.features.map((each) => (each.name === "cpu" ? { ...each, state, detail: "kept" } : each));
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), host: { ...host, features } }));
  };
  const bites = { memory: "ok", cpu: "ok", pids: "ok" };
  expect(Object.fromEntries(host.features.map(({ name, state }) => [name, state]))).toMatchObject(bites);
  keep("unenforced");
  expect(featureOf(await probeHost(at("2026-03-02T09:09:00Z")), "cpu")).toMatchObject({ detail: "kept" });
  expect(featureOf(await probeHost(at("2026-03-02T09:11:00Z")), "cpu")).toMatchObject({ detail: "the limit bites" });
  keep("ok");
  expect(featureOf(await probeHost(at("2026-09-02T09:00:00Z")), "cpu")).toMatchObject({ detail: "kept" });
});

test("an upgrade of podman is noticed without asking it", async () => {
  const { dir, env } = scratch();
  const bin = path.join(dir, "bin");
  mkdirSync(bin);
  const podman = execFileSync("sh", ["-c", "command -v podman"], { encoding: "utf8" }).trim();
  const install = (version: string) =>
    writeFileSync(path.join(bin, "podman"), `#!/bin/sh\n# ${version}\nexec ${podman} "$@"\n`, { mode: 0o755 });
  install("4.3");
  const request = { env: { ...env, PATH: `${bin}:${env["PATH"]}` }, cacheDir: dir, tempDir: path.join(dir, "temp") };
  const host = await probeHost(request);
  const file = path.join(dir, "podman-host.json");
  const kept = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ ...kept, host: { ...kept.host, runtime: "the-kept-one" } }));
  expect(await probeHost(request)).toMatchObject({ runtime: "the-kept-one" });
  install("5.0.0");
  expect(await probeHost(request)).toMatchObject({ runtime: host.runtime });
});

test("what only some sandboxes ask for is tried one by one, and leaves nothing", async () => {
  const { dir, env } = scratch();
  const places = { env, cacheDir: path.join(dir, "cache"), tempDir: path.join(dir, "temp") };
  const host = await probeHost(places);
  const features = await probeOptions(places, host);
  expect(features.map(({ name }) => name)).toEqual(["init", "userns", "freezer", "bridge", "bandwidth", "vm", "gpu"]);
  for (const { name, state, remedy } of features) {
    if (name === "init" || name === "userns") expect(state).toBe("ok");
    expect(state === "ok" || remedy !== undefined).toBe(true);
  }
  expect(readdirSync(places.tempDir)).toEqual([]);
  expect(await probeOptions(places, { ...host, runtime: undefined })).toEqual([]);
});

test("a machine without podman lacks it, with the command that mends it", async () => {
  const { dir } = scratch();
  const empty = path.join(dir, "bin");
  mkdirSync(empty);
  const host = await probeHost({ env: { PATH: empty }, cacheDir: dir, tempDir: dir });
  expect(host).toMatchObject({
    podman: undefined,
    features: [{ name: "podman", state: "missing", remedy: expect.stringContaining("apt-get install -y podman") }],
  });
});

test("a cache or a temp_dir where no folder can be made is told as such", async () => {
  const { dir, env } = scratch();
  const file = path.join(dir, "file");
  writeFileSync(file, "");
  const below = path.join(file, "kai");
  for (const nowhere of [below, "/proc/kai/cache"]) {
    await expect(probeHost({ env, cacheDir: nowhere, tempDir: dir })).rejects.toMatchObject({
      code: "E118",
      message: expect.stringMatching(/^No folder can be made at .*: (not a directory|no such file or directory)\.$/),
      hint: expect.stringContaining("$KAI_HOME"),
    });
  }
  await expect(probeHost({ env, cacheDir: dir, tempDir: below })).rejects.toMatchObject({
    code: "E118",
    hint: expect.stringContaining("temp_dir"),
  });
});
