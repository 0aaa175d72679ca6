import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { applyStep, buildAgent } from "../../test-repos/build-agent.mjs";
import { scratch } from "../support/scratch.js";

const NAME = "document-summariser";

async function summariser(...steps: string[]) {
  const { dir, env } = scratch();
  await buildAgent(NAME, dir, { env });
  for (const step of steps) await applyStep(NAME, step, dir, { env });
  const logic = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync("python3", ["logic.py", ...args], { cwd: dir, env, encoding: "utf8" });
    return { status, stdout: stdout.trimEnd(), stderr: stderr.trimEnd() };
  };
  const sql = (query: string) =>
    execFileSync("sqlite3", ["memory.sqlite", query], { cwd: dir, env, encoding: "utf8" }).trimEnd();
  const edit = (file: string, from: string, to: string) => {
    const text = readFileSync(path.join(dir, file), "utf8");
    expect(text).toContain(from);
    writeFileSync(path.join(dir, file), text.replace(from, to));
  };
  return { dir, env, logic, sql, edit };
}

test("version 1 answers from its document, remembers it in SQLite and counts it", async () => {
  const { dir, logic, sql } = await summariser();
  const asked = logic("--ask", "How long are invoices kept?");
  expect(asked).toMatchObject({ status: 0, stderr: "" });
  expect(asked.stdout).toContain("Question: How long are invoices kept?\nAnswer: Invoices are kept for seven years");
  logic("--ask", "When does the support desk open?");

  expect(sql("SELECT question FROM exchanges ORDER BY id")).toBe(
    "How long are invoices kept?\nWhen does the support desk open?",
  );
  expect(sql("PRAGMA journal_mode")).toBe("wal");
  expect(logic("--memory").stdout).toMatch(/^2 answers remembered/);
  expect(JSON.parse(readFileSync(path.join(dir, "state.json"), "utf8"))).toEqual({ answered: 2, summarised: 0 });
});

test("version 1.1 finds in other documents what version 1 could not answer", async () => {
  const question = "Who approves a release?";
  const before = await summariser();
  expect(before.logic("--ask", question).stdout).not.toContain("product owner");
  const after = await summariser("v1.1");
  expect(after.logic("--ask", question).stdout).toContain("approved by the product owner");
  expect(after.logic("--ask", question).stdout).toContain("(found in releases.md)");
});

test("version 1.2 is broken: it answers nothing, and remembers nothing", async () => {
  const { logic } = await summariser("v1.1", "v1.2");
  expect(logic("--ask", "How long are invoices kept?")).toEqual({
    status: 1,
    stdout: "",
    stderr: "logic.py: prompts/answer.md asks for {citations}, but there is only {answer}, {question}, {sources}",
  });
  expect(logic("--memory").stdout).toBe("0 answers remembered");
});

test("its own tests pass in version 1 and 1.1, and fail in 1.2", async () => {
  const unittest = async (...steps: string[]) => {
    const { dir, env } = await summariser(...steps);
    return spawnSync("python3", ["-m", "unittest", "discover", "-s", "tests"], { cwd: dir, env }).status;
  };
  expect([await unittest(), await unittest("v1.1"), await unittest("v1.1", "v1.2")]).toEqual([0, 0, 1]);
});

test("configuration, prompts and tool definitions really decide what it does", async () => {
  const { logic, edit } = await summariser();
  const question = "How long are invoices kept?";
  edit("config.yaml", "sentences: 2", "sentences: 1");
  edit("prompts/answer.md", "Answer:", "We think:");
  expect(logic("--ask", question).stdout).toBe(
    `Question: ${question}\nWe think: Invoices are kept for seven years, counted from the end of the year in which they were paid.\n(from data/handbook.md)`,
  );
  edit("tools/summarise.tool.json", '"minimum": 1', '"minimum": 5');
  expect(logic("--ask", question)).toMatchObject({
    status: 1,
    stderr: "logic.py: summarise.sentences: 1 is out of range",
  });
  edit("config.yaml", "answer:", "answer");
  expect(logic("--ask", question).stderr).toMatch(/^logic.py: .*config.yaml:\d+: expected `key: value`/);
});

test("summarises a file and measures itself", async () => {
  const { logic } = await summariser();
  expect(logic("--summarise", "data/handbook.md").stdout).toMatch(/^handbook.md, in short:\nInvoices are kept/);
  expect(logic("--bench").stdout).toMatch(/^90 answers, median \d+\.\d+ ms/);
});

test("answers even where it cannot write", async () => {
  const { dir, logic } = await summariser();
  writeFileSync(path.join(dir, "memory.sqlite"), "this is not a database, and it is longer than a header would be");
  chmodSync(path.join(dir, "memory.sqlite"), 0o400);
  const asked = logic("--ask", "How long are invoices kept?");
  expect(asked.status).toBe(0);
  expect(asked.stdout).toContain("seven years");
  expect(asked.stderr).toMatch(/^not remembered: /);
});

async function served(...steps: string[]) {
  const agent = await summariser(...steps);
  const server = spawn("python3", ["logic.py", "--serve", "--port", "0"], { cwd: agent.dir, env: agent.env });
  const closed = once(server, "close");
  onTestFinished(async () => {
    server.kill("SIGKILL");
    await closed;
  });
  const ended = closed.then(() => Promise.reject(new Error("the server ended before it listened")));
  ended.catch(() => {});
  const [line] = await Promise.race([once(createInterface({ input: server.stdout }), "line"), ended]);
  return { ...agent, url: String(line).replace("listening on ", "") };
}

test("serves health and answers over HTTP", async () => {
  const { url, sql } = await served("v1.1");
  const health = await fetch(`${url}/health`);
  expect([health.status, await health.json()]).toEqual([200, { status: "well", remembered: 0 }]);
  const body = JSON.stringify({ question: "Who approves a release?" });
  const answer = await fetch(`${url}/ask`, { method: "POST", body });
  expect(await answer.json()).toEqual({ answer: expect.stringContaining("product owner") });
  expect(sql("SELECT COUNT(*) FROM exchanges")).toBe("1");
  expect((await fetch(`${url}/ask`, { method: "POST", body: "what" })).status).toBe(400);
});

test("the broken version says over HTTP that it is ill", async () => {
  const { url } = await served("v1.1", "v1.2");
  const health = await fetch(`${url}/health`);
  expect([health.status, await health.json()]).toEqual([
    503,
    { status: "ill", error: expect.stringContaining("{citations}") },
  ]);
});
