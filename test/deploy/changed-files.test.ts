import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { loadAgent } from "../../src/deploy/load-agent.js";
import { scratch } from "../support/scratch.js";
import { agentInForce, FILES, refusal } from "./loading.js";
import { smallAgent } from "./small-agent.js";

test("names every file of logic and configuration that is not the version's", async () => {
  const agent = await agentInForce({ "run.sh": "#!/bin/sh\n" });
  agent.write({
    "config.yaml": "model: {temperature: 0.9}\n",
    "logic.py": "print('other')\n",
    "tools/search.tool.json": undefined,
    "prompts/planted.md": "Obey.\n",
    "lib/new.py": "x = 1\n",
  });
  rmSync(path.join(agent.dir, "prompts/answer.md"));
  symlinkSync("planted.md", path.join(agent.dir, "prompts/answer.md"));
  const refused = await refusal(agent.dir);
  expect(refused).toMatchObject({
    code: "E102",
    paths: [
      "config.yaml",
      "lib/new.py",
      "logic.py",
      "prompts/answer.md",
      "prompts/planted.md",
      "tools/search.tool.json",
    ],
  });
  expect(refused.message).toBe(
    "The working tree does not hold the logic and configuration of v1.0.0: config.yaml (changed), lib/new.py (extra), logic.py (changed), prompts/answer.md (changed), prompts/planted.md (extra), tools/search.tool.json (missing).",
  );
  expect(refused.hint).toContain("git restore .");
});

test("a file too large to be read is a changed one, whether its blob was read before or not", async () => {
  const agent = await agentInForce();
  truncateSync(path.join(agent.dir, "logic.py"), 3 * 2 ** 30);
  for (const cache of ["known", "unknown"]) {
    expect(await refusal(agent.dir), cache).toMatchObject({ code: "E102", paths: ["logic.py"] });
    rmSync(path.join(agent.dir, ".git", "kai", "cache"), { recursive: true, force: true });
  }
});

test("commits that are in no version yet are refused as well", async () => {
  const agent = await agentInForce();
  agent.commit("feat: more", { "logic.py": "print('more')\n" });
  expect(await refusal(agent.dir)).toMatchObject({ code: "E102", paths: ["logic.py"] });
});

test("an executable bit counts, where the file system keeps it", async () => {
  const agent = await agentInForce();
  chmodSync(path.join(agent.dir, "logic.py"), 0o755);
  expect((await refusal(agent.dir)).message).toContain("logic.py (mode)");
  agent.git("config", "core.fileMode", "false");
  expect(await loadAgent(agent.dir)).toMatchObject({ version: "1.0.0" });
});

test("what the version itself ignores is left alone; what only this clone excludes is not", async () => {
  const agent = await agentInForce({
    ".gitignore": "state.json\n*.local.yaml\n.venv/\n",
    "prompts/.gitignore": "draft-*\n",
  });
  agent.write({ "a.local.yaml": "a: 1\n", ".venv/lib/x.py": "1\n", "prompts/draft-1.md": "d\n" });
  expect(await loadAgent(agent.dir)).toMatchObject({ version: "1.0.0" });
  agent.write({ ".git/info/exclude": "hidden.py\n", "hidden.py": "1\n", ".gitignore": "*\n" });
  expect(await refusal(agent.dir)).toMatchObject({ code: "E102", paths: ["hidden.py"] });
});

test("line ends as git checks them out, and what an LFS pointer names, are no change", async () => {
  const model = "x".repeat(5000);
  const oid = createHash("sha256").update(model).digest("hex");
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize 5000\n`;
  const agent = await agentInForce({ "prompts/long.md": pointer });
  agent.write({ "prompts/answer.md": "Answer.\r\nBe short.\r\n", "prompts/long.md": model });
  expect(await loadAgent(agent.dir)).toMatchObject({ version: "1.0.0" });
  agent.write({ "prompts/answer.md": "Answer.\r\nBe long.\r\n", "prompts/long.md": `${model}!` });
  expect(await refusal(agent.dir)).toMatchObject({ code: "E102", paths: ["prompts/answer.md", "prompts/long.md"] });
});

test("odd names, links and submodules", async () => {
  const { dir, env } = scratch();
  const part = path.join(dir, "part");
  mkdirSync(part);
  execFileSync("git", ["init", "-q"], { cwd: part, env });
  execFileSync("git", ["commit", "-q", "--allow-empty", "-m", "part"], { cwd: part, env });
  const agent = await smallAgent({ ...FILES, "prompts/two words\n.md": "a\n", "prompts/é.md": "b\n" });
  symlinkSync("answer.md", path.join(agent.dir, "prompts/link.md"));
  symlinkSync("vendor", path.join(agent.dir, "lib"));
  agent.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", part, "vendor/part");
  agent.commit("feat: parts", {});
  await agent.create();
  agent.write({ "vendor/part/planted.py": "1\n" });
  expect(await loadAgent(agent.dir)).toMatchObject({ version: "1.0.0", unchecked: ["vendor/part"] });
  rmSync(path.join(agent.dir, "prompts/link.md"));
  symlinkSync("/etc/passwd", path.join(agent.dir, "prompts/link.md"));
  rmSync(path.join(agent.dir, "lib"));
  symlinkSync("/usr/lib", path.join(agent.dir, "lib"));
  agent.write({ "prompts/two words\n.md": "c\n" });
  expect(await refusal(agent.dir)).toMatchObject({ paths: ["lib", "prompts/link.md", "prompts/two words\n.md"] });
});

test("folders of code behind links are not let in", async () => {
  const agent = await agentInForce();
  const aside = path.join(agent.dir, "..", "aside");
  renameSync(path.join(agent.dir, "prompts"), aside);
  symlinkSync(aside, path.join(agent.dir, "prompts"));
  symlinkSync(aside, path.join(agent.dir, "lib"));
  symlinkSync(aside, path.join(agent.dir, "data", "latest"));
  expect(await refusal(agent.dir)).toMatchObject({ code: "E102", paths: ["lib", "prompts", "prompts/answer.md"] });
});
