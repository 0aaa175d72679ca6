import { chmodSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { requireReplaceable } from "../../src/operation/require-replaceable.js";
import { agentWithVersions } from "../support/agent.js";
import { scratch } from "../support/scratch.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

test("what lies in a folder where another file system is mounted is refused by name", async () => {
  await expect(requireReplaceable("/", ["etc/hosts", "proc/a/b"])).rejects.toMatchObject({
    code: "E118",
    message: "proc/a/b lies on another file system than the working tree.",
  });
  await requireReplaceable(scratch().dir, ["a", "folder/that/is/not/there"]);
});

test("a folder that cannot be written is found before anything is decided", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const folder = path.join(agent.dir, "prompts");
  chmodSync(folder, 0o555);
  onTestFinished(() => chmodSync(folder, 0o755));
  const before = agent.git("for-each-ref");
  // Permissions do not hold back whoever may do everything.
  const asOwner = process.getuid?.() === 0 ? ["--bounding-set", "-dac_override"] : [];
  const kai = (...args: string[]) => agent.run("setpriv", [...asOwner, process.execPath, PROGRAM, ...args]);
  const refused = await kai("rollback", "1.0.0", "--json");
  expect(refused.json().error).toMatchObject({
    code: "E118",
    message: "prompts/system.md cannot be replaced: prompts cannot be written.",
  });
  expect(agent.git("for-each-ref")).toBe(before);
  expect(agent.git("status", "--porcelain")).toBe("");
  chmodSync(folder, 0o755);
  expect((await kai("rollback", "1.0.0")).exit).toBe(0);
});
