import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { loadAgent } from "../../src/deploy/load-agent.js";
import { digestOfEntry } from "../../src/trust/trust-root.js";
import { agentInForce, refusal } from "./loading.js";
import type { SmallAgent } from "./small-agent.js";

/** Writes an object under the id of another, as somebody with access to the disk could. */
function exchangeObject({ dir, env }: SmallAgent, id: string, content: string): void {
  const other = execFileSync("git", ["hash-object", "-w", "--stdin"], {
    cwd: dir,
    env,
    input: content,
    encoding: "utf8",
  }).trim();
  const file = (each: string) => path.join(dir, ".git", "objects", each.slice(0, 2), each.slice(2));
  chmodSync(file(id), 0o644);
  writeFileSync(file(id), readFileSync(file(other)));
}

test("a tag that was moved", async () => {
  const agent = await agentInForce();
  agent.commit("fix: other words", { "prompts/answer.md": "Answer!\n" });
  await agent.create();
  const old = agent.git("rev-parse", "v1.0.0");
  agent.git("update-ref", "refs/tags/v1.0.1", old);
  expect(await refusal(agent.dir)).toMatchObject({ code: "E102", paths: ["refs/tags/v1.0.1"] });
});

test("`current` put back to what it was, without a log entry", async () => {
  const agent = await agentInForce();
  const before = agent.git("rev-parse", "current");
  agent.commit("fix: other words", { "prompts/answer.md": "Answer!\n" });
  await agent.create();
  agent.git("update-ref", "refs/tags/current", before);
  agent.git("checkout", "--quiet", "v1.0.0");
  expect(await refusal(agent.dir)).toMatchObject({ code: "E102", paths: ["refs/tags/current"] });
});

test("the whole repository put back to before what this clone has seen", async () => {
  const agent = await agentInForce();
  const [log, current] = [agent.git("rev-parse", "refs/kai/log"), agent.git("rev-parse", "current")];
  agent.commit("fix: a security hole", { "logic.py": "print('safe')\n" });
  await agent.create();
  agent.git("update-ref", "refs/kai/log", log);
  agent.git("update-ref", "refs/tags/current", current);
  agent.git("checkout", "--quiet", "v1.0.0");
  const refused = await refusal(agent.dir);
  expect(refused.code).toBe("E121");
  expect(refused.message).toContain("rolled back or replaced");
});

test("entries that came after what was seen are verified one by one", async () => {
  const agent = await agentInForce();
  const trust = path.join(agent.dir, ".git/kai/trust.json");
  const pinned = readFileSync(trust);
  for (const word of ["one", "two"]) {
    agent.commit(`fix: ${word}`, { "prompts/answer.md": `${word}\n` });
    await agent.create();
  }
  writeFileSync(trust, pinned);
  expect(await loadAgent(agent.dir)).toMatchObject({ version: "1.0.2" });
  const tree = agent.git("rev-parse", "refs/kai/log^{tree}");
  const message = agent.git("log", "-1", "--format=%B", "refs/kai/log").replace('"seq":3', '"seq":4');
  const forged = agent.git("commit-tree", tree, "-p", "refs/kai/log", "-m", message);
  agent.git("update-ref", "refs/kai/log", forged);
  expect(await refusal(agent.dir)).toMatchObject({ code: "E121" });
});

test("a pinned entry that founds no log", async () => {
  const agent = await agentInForce();
  const trust = path.join(agent.dir, ".git/kai/trust.json");
  const id = agent.git("rev-parse", "refs/kai/log");
  const raw = execFileSync("git", ["cat-file", "commit", id], { cwd: agent.dir, env: agent.env });
  const pin = { ...JSON.parse(readFileSync(trust, "utf8")), root: id, seen: id, digest: digestOfEntry(raw) };
  writeFileSync(trust, JSON.stringify(pin));
  const refused = await refusal(agent.dir);
  expect(refused).toMatchObject({ code: "E121", message: expect.stringContaining("founds none: it has a parent") });
});

test("a record that was edited", async () => {
  const agent = await agentInForce();
  const note = agent.git("notes", "--ref=kai", "show", "v1.0.0^{commit}");
  agent.git(
    "notes",
    "--ref=kai",
    "add",
    "-f",
    "-m",
    note.replace('"type":"auto"', '"type":"release"'),
    "v1.0.0^{commit}",
  );
  expect(await refusal(agent.dir)).toMatchObject({ code: "E102", paths: ["refs/notes/kai"] });
  agent.git("update-ref", "-d", "refs/notes/kai");
  expect(await loadAgent(agent.dir)).toMatchObject({ version: "1.0.0" });
});

test("captured state that was replaced, or is gone", async () => {
  const agent = await agentInForce();
  const ref = "refs/kai/state/v1.0.0";
  const [blob, other] = [agent.git("rev-parse", `${ref}:files/0`), agent.git("rev-parse", "HEAD:logic.py")];
  const list = (name: string) => agent.git("ls-tree", name);
  const mktree = (input: string) =>
    execFileSync("git", ["mktree"], { cwd: agent.dir, env: agent.env, input, encoding: "utf8" }).trim();
  const files = mktree(`${list(`${ref}:files`).replace(blob, other)}\n`);
  const root = mktree(`${list(ref).replace(agent.git("rev-parse", `${ref}:files`), files)}\n`);
  agent.git("update-ref", ref, agent.git("commit-tree", root, "-m", "state"));
  expect(await refusal(agent.dir)).toMatchObject({ code: "E102", paths: ["state.json"] });
  agent.git("update-ref", "-d", ref);
  expect(await refusal(agent.dir)).toMatchObject({
    code: "E102",
    paths: [ref],
    hint: expect.stringContaining("git fetch"),
  });
});

test("an object whose bytes were exchanged", async () => {
  const agent = await agentInForce();
  exchangeObject(agent, agent.git("rev-parse", "HEAD:prompts"), "no tree");
  expect(await refusal(agent.dir)).toMatchObject({ code: "E102" });
});
