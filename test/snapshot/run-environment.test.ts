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
    expect(recordOf(agent, ran.run).environment.seed).toBe(8);
    // What is told is enough to draw the same again.
    const first = await agent.made(verb, where, "--", "sh", "./run.sh");
    const again = ["--env", `KAI_SEED=${recordOf(agent, first.run).environment.seed}`];
    expect((await agent.made(verb, where, ...again, "--", "sh", "./run.sh")).stdout).toBe(first.stdout);
    const word = await agent.made(verb, where, "--env", "KAI_SEED=word", "--", "sh", "./run.sh");
    expect(word.stdout).toBe(`word ${recordOf(agent, word.run).environment.seed} \n`);
    const neither = ["--env", "PYTHONHASHSEED=7", "--env", "KAI_SEED=word"];
    const told = await agent.made(verb, where, ...neither, "--", "sh", "./run.sh");
    expect([told.stdout, recordOf(agent, told.run).environment.seed]).toEqual(["word 7 \n", null]);
    // Nobody may execute it, which says nothing of where it lies.
    const other = (await agent.snapshot(verb, "--json", where, "--", "/app/run.sh")).json();
    expect(recordOf(agent, other.run).environment).toMatchObject({ program: null, variables: {} });
  }
});

test("the program is found where the command's own PATH leads, and is none where that is not the machine's own", async () => {
  const agent = await snapshotAgent({}, { "bin/sh": "#!/bin/sh\n" });
  const { id } = await agent.made("create", "1.1.0");
  for (const [verb, where] of [
    ["run", "1.1.0"],
    ["exec", id],
  ] as const) {
    const programOf = async (search: string, ...command: string[]) => {
      const ran = (await agent.snapshot(verb, "--json", where, "--env", `PATH=${search}`, "--", ...command)).json();
      return recordOf(agent, ran.run).environment["program"];
    };
    expect(await programOf("/usr/sbin:/usr/bin:/app/bin", "sh")).toMatchObject({ path: realpathSync("/usr/bin/sh") });
    expect(await programOf("/app/bin:/usr/bin", "sh")).toBeNull();
    expect(await programOf("bin:/usr/bin", "sh")).toBeNull();
  }
});

test.each(["", ".", "..", "/usr/bin"])(
  "what is no program, such as '%s', is not run, and that is kept",
  async (word) => {
    const agent = await snapshotAgent();
    const { id } = await agent.made("create", "1.1.0");
    for (const [verb, where] of [
      ["run", "1.1.0"],
      ["exec", id],
    ] as const) {
      const ran = (await agent.snapshot(verb, "--json", where, "--", word)).json();
      expect(ran.exitCode).toBe(126);
      expect(recordOf(agent, ran.run).environment["program"]).toBeNull();
    }
  },
);
