import { expect, test } from "vitest";
import { hasShell } from "../../src/podman/has-shell.js";
import { ownIdentity } from "../../src/system/process-identity.js";

test("whether there is a shell is seen from outside, or not told where it cannot be", async () => {
  const here = ownIdentity();
  expect(await hasShell({ process: here })).toBe(true);
  expect(await hasShell({ process: here, ownKernel: true })).toBeUndefined();
  // Nobody has that number any more, or never had.
  expect(await hasShell({ process: "boot:4194303:1" })).toBeUndefined();
});
