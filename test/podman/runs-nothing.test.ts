import { expect, test } from "vitest";
import { removeContainer } from "../../src/podman/remove-container.js";
import { runsNothing } from "../../src/podman/runs-nothing.js";
import { sharedCache } from "../snapshot/sandbox.js";
import { idleSandbox } from "./sandbox.js";

const cache = sharedCache();

test("only the process that waits counts as nothing", async () => {
  const { container, sh, env } = await idleSandbox(cache);
  expect(runsNothing(container)).toBe(true);
  expect(runsNothing({ ...container, ownKernel: true })).toBe(false);
  // Out of its caller's sight, and its environment says nothing of it.
  await sh("env -i setsid sleep 300 >/dev/null 2>&1 &");
  expect(runsNothing(container)).toBe(false);
  await removeContainer(container.name, env);
  expect(runsNothing(container)).toBe(false);
});
