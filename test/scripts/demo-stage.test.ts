import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { endProcessesIn } from "../../scripts/demo-processes.mjs";
import { DemoFailure, openStage } from "../../scripts/demo-stage.mjs";
import { scratch } from "../support/scratch.js";

function stageWithOutput(isTTY = false) {
  const { dir, env } = scratch();
  let text = "";
  const out = {
    isTTY,
    write: (chunk: string | Uint8Array) => {
      text += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
    },
  };
  return { stage: openStage({ cwd: dir, env, out }), shown: () => text };
}

test("shows a command as typed, and what it really prints", async () => {
  const { stage, shown } = stageWithOutput();
  stage.scene("1. A file");
  await stage.run("echo one > a && cat a | tr a-z A-Z");
  expect(shown()).toBe("\n1. A file\n\n$ echo one > a && cat a | tr a-z A-Z\nONE\n");
});

test("colours only a terminal", async () => {
  const { stage, shown } = stageWithOutput(true);
  stage.say("words");
  expect(shown()).toContain("\u001b[");
});

test("stops where a command ends otherwise than expected, and names it", async () => {
  const { stage } = stageWithOutput();
  await stage.run("exit 3", { status: 3 });
  await expect(stage.run("exit 3")).rejects.toThrow(
    new DemoFailure("This ended with status 3 instead of 0:\n  $ exit 3"),
  );
  await expect(stage.run("echo bad", { shows: "good" })).rejects.toThrow(
    'This should have shown "good":\n  $ echo bad',
  );
});

test("sums up how long each command took", async () => {
  const { stage, shown } = stageWithOutput();
  await stage.run("true");
  stage.summary();
  expect(shown()).toMatch(/How long each command took\n +\d+ ms {2}true\n$/);
});

test("kills a command with all of its process group once something holds", async () => {
  const { dir, env } = scratch();
  const stage = openStage({ cwd: dir, env, out: { write: () => {} } });
  const isThere = (name: string) => () => existsSync(path.join(dir, name));
  await stage.pullThePlug("sh -c 'touch begun; sleep 60; touch ended'", isThere("begun"));
  await expect(stage.pullThePlug("false", isThere("ended"))).rejects.toThrow(
    "ended with status 1 before it was killed",
  );
});

test("ends what works in a folder, also in a session of its own, and nothing else", async () => {
  const [inside, outside] = [scratch().dir, scratch().dir];
  const start = (cwd: string) => spawn("sleep", ["60"], { cwd, detached: true, stdio: "ignore" });
  const [one, other] = [start(inside), start(outside)];
  const ended = once(one, "exit");
  endProcessesIn(inside);
  expect(await ended).toEqual([null, "SIGKILL"]);
  expect(other.exitCode ?? other.signalCode).toBeNull();
  other.kill("SIGKILL");
});
