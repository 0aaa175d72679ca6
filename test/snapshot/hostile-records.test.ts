import { execFileSync } from "node:child_process";
import { readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { markGiven, readGiven } from "../../src/snapshot/given-secrets.js";
import { scratch } from "../support/scratch.js";
import { snapshotAgent } from "./snapshot-agent.js";

test("what lies beside a record and is no file holds nobody up", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  await agent.made("exec", id, "--", "sh", "-c", "echo out; echo err >&2");
  const logs = path.join(agent.dir, ".git/kai/snapshots", id, "logs");
  const [execution] = (await agent.made("logs", id)).executions;
  const fileOf = (stream: string) => path.join(logs, `${execution.id}.${stream}`);
  rmSync(fileOf("stdout"));
  execFileSync("mkfifo", [fileOf("stdout")]);
  rmSync(fileOf("stderr"));
  symlinkSync("/etc/passwd", fileOf("stderr"));
  expect(await agent.snapshot("logs", id, "--execution", execution.id)).toMatchObject({
    exit: 0,
    stdout: "",
    stderr: "",
  });
  expect((await agent.made("logs", id)).executions).toHaveLength(1);
});

test.each([
  ["a FIFO", (file: string) => execFileSync("mkfifo", [file])],
  ["a link", (file: string) => symlinkSync("/etc/hostname", file)],
  ["no JSON", (file: string) => writeFileSync(file, "{")],
  ["a mark of another form", (file: string) => writeFileSync(file, '{"length":-1,"salt":"00","digest":"","sum":0}')],
])("a mark of a secret that cannot be read is told, as its secret would pass unseen: %s", async (_what, damage) => {
  const { dir } = scratch();
  await markGiven(dir, ["a secret of some length"]);
  expect(readGiven(dir)).toMatchObject([{ length: 23 }]);
  const [name = ""] = readdirSync(dir);
  const file = path.join(dir, name);
  rmSync(file);
  damage(file);
  expect(() => readGiven(dir)).toThrow(
    expect.objectContaining({ code: "E125", hint: expect.stringContaining(`${file} is damaged`) }),
  );
});
