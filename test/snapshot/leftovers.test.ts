import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { findLocalImage } from "../../src/podman/local-image.js";
import { bench, sharedCache, smallestRoot, testInSandbox } from "./sandbox.js";

const cache = sharedCache();

// Rootless, each home has containers and images of its own.
const containers = (label: string, env: NodeJS.ProcessEnv): string[] =>
  execFileSync("podman", ["ps", "-a", "--filter", `label=${label}`, "--format", "{{.Names}}"], {
    env,
    encoding: "utf8",
  })
    .split("\n")
    .filter((name) => name !== "");

/** Control groups that are named after a run, in any hierarchy. */
const groupsOf = (id: string): string[] =>
  ["/sys/fs/cgroup", ...readdirSync("/sys/fs/cgroup").map((name) => `/sys/fs/cgroup/${name}`)]
    .map((folder) => path.join(folder, "kai", `kai-${id}`))
    .filter((folder) => existsSync(folder));

test("a run that ended leaves no container, folder or control group", async () => {
  const { request, tempDir, env } = bench(cache);
  const asked = request(["true"]);
  await testInSandbox(asked);
  expect(readdirSync(tempDir)).toEqual([]);
  expect(containers("kai.snapshot", env)).not.toContain(`kai-${asked.id}`);
  expect(groupsOf(asked.id)).toEqual([]);
});

test("an abort ends the run and leaves neither container nor folder", async () => {
  const { request, tempDir, tree, env } = bench(cache);
  const stop = new AbortController();
  const asked = request(["sh", "-c", "trap '' TERM; sleep 600"], { signal: stop.signal });
  const run = testInSandbox(asked);
  const refused = expect(run).rejects.toThrow("stopped by the test");
  await expect
    .poll(() => containers("kai.snapshot", env), { timeout: 30_000, interval: 200 })
    .toContain(`kai-${asked.id}`);
  stop.abort(new Error("stopped by the test"));
  await refused;
  expect(readdirSync(tempDir)).toEqual([]);
  expect(containers("kai.snapshot", env).filter((name) => name === `kai-${asked.id}`)).toEqual([]);
  expect(groupsOf(asked.id)).toEqual([]);
  expect(readdirSync(tree)).toEqual([]);
});

test("an image that is here is what the command runs in", async () => {
  const { request, env, tree } = bench(cache, { "a.txt": "from the version" });
  const root = path.join(path.dirname(tree), "root");
  smallestRoot(root);
  const name = `localhost/kai-test-${process.pid}:1`;
  execFileSync("sh", ["-c", `tar -C "${root}" -cf - . | podman import - ${name}`], { env, stdio: "ignore" });
  try {
    const id = (await findLocalImage(name, env)) ?? "";
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    const image = { kind: "image", id, reference: name } as const;
    const result = await testInSandbox(request(["sh", "-c", "cat a.txt; echo x > b.txt; ls"], { base: image }));
    expect(result).toMatchObject({
      stdout: "from the version",
      exitCode: 127,
      artifacts: [{ path: "b.txt", change: "added" }],
    });
  } finally {
    execFileSync("podman", ["rmi", "-f", name], { env, stdio: "ignore" });
  }
});
