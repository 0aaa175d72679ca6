import { expect, test } from "vitest";
import { runContainer } from "../../src/podman/run-container.js";
import { StartMark } from "../../src/podman/start-mark.js";
import { sharedCache } from "../snapshot/sandbox.js";
import { idlePlan } from "./sandbox.js";

const cache = sharedCache();

test("a command's duration begins with the command, whenever its container did", async () => {
  const { host, env, folder, plan } = await idlePlan(cache);
  const mark = new StartMark(undefined, { ownKernel: false });
  const command = ["/bin/sh", "-c", `sleep 3; ${mark.script}sleep 0.5; exit 3`] as const;
  const before = performance.now();
  const ran = await runContainer({ ...plan, command }, host, { env, folder, timeoutMs: 60_000, mark });
  expect(ran).toMatchObject({ started: true, exitCode: 3 });
  expect(ran.durationMs).toBeGreaterThan(450);
  expect(ran.durationMs).toBeLessThan(performance.now() - before - 2900);
});
