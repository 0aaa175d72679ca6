import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { removeContainer } from "../../src/podman/remove-container.js";
import { sharedCache } from "../snapshot/sandbox.js";
import { idleSandbox } from "./sandbox.js";

const cache = sharedCache();

test("a container that podman fails to remove at first is removed", async () => {
  const { container, env, folder } = await idleSandbox(cache);
  const [bin, failed] = [path.join(folder, "bin"), path.join(folder, "failed")];
  const podman = execFileSync("sh", ["-c", "command -v podman"], { env, encoding: "utf8" }).trim();
  mkdirSync(bin);
  const script = `#!/bin/sh\n[ -e ${failed} ] && exec ${podman} "$@"\n: >${failed}\nexit 125\n`;
  writeFileSync(path.join(bin, "podman"), script, { mode: 0o755 });
  await removeContainer(container.name, { ...env, PATH: `${bin}:${env["PATH"]}` }, container.process);
  expect(existsSync(failed)).toBe(true);
  const names = execFileSync("podman", ["ps", "--all", "--format", "{{.Names}}"], { env, encoding: "utf8" });
  expect(names.split("\n")).not.toContain(container.name);
});
