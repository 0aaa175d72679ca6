import { mkdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { chooseGpus, gpuFeature } from "../../src/podman/gpus.js";
import { scratch } from "../support/scratch.js";

/** Places in a folder of the test's own. */
function places(files: Record<string, string> = {}) {
  const { dir } = scratch();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    writeFileSync(path.join(dir, name), content);
  }
  return { cdi: [path.join(dir, "etc"), path.join(dir, "run")], dri: path.join(dir, "dri") };
}

const NVIDIA = `
cdiVersion: 0.5.0
kind: nvidia.com/gpu
devices:
  - name: "10"
  - name: "2"
  - name: GPU-8a1e
  - name: all
`;

test("GPUs that a vendor describes are taken by number", async () => {
  const here = places({
    "etc/nvidia.yaml": NVIDIA,
    "run/net.json": '{"kind":"vendor.com/net","devices":[{"name":"0"}]}',
  });
  expect(await chooseGpus("1", here)).toEqual({ devices: ["nvidia.com/gpu=2"], groups: [] });
  expect(await chooseGpus("all", here)).toEqual({ devices: ["nvidia.com/gpu=2", "nvidia.com/gpu=10"], groups: [] });
  expect(await gpuFeature(here)).toEqual({ name: "gpu", state: "ok", detail: "nvidia.com/gpu=2, nvidia.com/gpu=10" });
});

test("without a description those that render are, with the group that may open them", async () => {
  const here = places({ "dri/renderD128": "", "dri/card0": "", "etc/broken.json": "{", "etc/empty.yaml": "" });
  const device = path.join(here.dri, "renderD128");
  expect(await chooseGpus("1", here)).toEqual({ devices: [device], groups: [statSync(device).gid] });
});

test("more than there are is E103", async () => {
  const here = places({ "etc/nvidia.yaml": NVIDIA });
  await expect(chooseGpus("3", here)).rejects.toMatchObject({
    code: "E103",
    message: "3 GPUs are asked for, and this machine has nvidia.com/gpu=2, nvidia.com/gpu=10.",
    hint: expect.stringContaining("resource_limits.gpu to null"),
  });
  await expect(chooseGpus("1", places())).rejects.toMatchObject({
    message: "1 GPU is asked for, and this machine has none.",
  });
  await expect(chooseGpus("all", places())).rejects.toMatchObject({
    message: "GPUs are asked for, and this machine has none.",
  });
});

test("what this machine has is what it gives", async () => {
  const { state } = await gpuFeature();
  const asked = chooseGpus("all");
  if (state === "ok") expect((await asked).devices).not.toEqual([]);
  else await expect(asked).rejects.toMatchObject({ code: "E103" });
});
