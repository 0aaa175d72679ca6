import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { identityOf, isAlive, ownIdentity } from "../../src/system/process-identity.js";

test("a process is alive until it has ended, whether or not its parent has asked for its end", async () => {
  // The shell's child ends at once, and is never waited for by the program that takes the shell's place.
  const parent = spawn("sh", ["-c", "sleep 0.5 & echo $!; exec sleep 30"], { stdio: ["ignore", "pipe", "ignore"] });
  onTestFinished(() => void parent.kill("SIGKILL"));
  const [line] = await once(parent.stdout, "data");
  const child = Number(String(line).trim());
  const identity = identityOf(child) ?? "";
  expect(isAlive(identity)).toBe(true);
  await expect.poll(() => isAlive(identity), { timeout: 10_000 }).toBe(false);
  expect(() => process.kill(child, 0)).not.toThrow();
  expect(isAlive(ownIdentity())).toBe(true);
});
