import { createHash, createHmac } from "node:crypto";
import { readFileSync, readlinkSync, realpathSync } from "node:fs";
import os from "node:os";
import { expect, test } from "vitest";
import { type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

const PRINT = 'echo "$KAI_SEED $PYTHONHASHSEED $COLOUR"';

const recordOf = (agent: SnapshotAgent, run: string) =>
  JSON.parse(agent.git("log", "-1", "--format=%b", run)) as {
    readonly id: string;
    readonly at: string;
    readonly environment: Record<string, unknown> & { readonly seed: number };
  };

const sha256 = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

test("a run says what it stood on, so that it can be repeated: run and exec", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const seeds: number[] = [];
  for (const [verb, where] of [
    ["run", "1.1.0"],
    ["exec", id],
    ["exec", id],
  ] as const) {
    const ran = await agent.made(verb, where, "--env", "COLOUR=cornflower", "--", "sh", "-c", PRINT);
    const record = recordOf(agent, ran.run);
    const { seed } = record.environment;
    seeds.push(seed);
    expect(ran.stdout).toBe(`${seed} ${seed} cornflower\n`);
    expect(record.environment).toEqual({
      kernel: `${os.type()} ${os.release()} ${os.machine()}`,
      podman: expect.stringMatching(/^\d+\.\d+/),
      runtime: expect.stringMatching(/^(?:runc|crun)$/),
      program: { path: realpathSync("/usr/bin/sh"), sha256: sha256("/usr/bin/sh") },
      variables: { COLOUR: createHmac("sha256", record.id).update("cornflower").digest("hex") },
      seed,
      timeZone: /zoneinfo\/(.+)$/.exec(readlinkSync("/etc/localtime"))?.[1],
    });
  }
  expect(new Set(seeds).size).toBe(3);
});

test("a seed that is given stays; a program of the version's own files is told by their tree", async () => {
  const agent = await snapshotAgent({}, { "run.sh": `#!/bin/sh\n${PRINT}\n` });
  for (const [verb, where] of [
    ["run", "1.1.0"],
    ["exec", (await agent.made("create", "1.1.0")).id],
  ] as const) {
    const given = ["--env", "PYTHONHASHSEED=7", "--env", "KAI_SEED=8"];
    const ran = await agent.made(verb, where, ...given, "--", "sh", "./run.sh");
    expect(ran.stdout).toBe("8 7 \n");
    // Nobody may execute it, which says nothing of where it lies.
    const other = (await agent.snapshot(verb, "--json", where, "--", "/app/run.sh")).json();
    expect(recordOf(agent, other.run).environment).toMatchObject({ program: null, variables: {} });
  }
});
