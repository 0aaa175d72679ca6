import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { after } from "./after.js";
import { NOTHING_LEFT, type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

/** Where what a snapshot changed lies, as this machine sees it. */
const upperOf = (agent: SnapshotAgent, id: string): string => {
  const record = readFileSync(path.join(agent.dir, ".git/kai/snapshots", id, "record.json"), "utf8");
  return path.join(JSON.parse(record).folder, "volume", "upper");
};

test("devices are refused, whatever they are, and so is a FIFO that is named as git's own file", async () => {
  const agent = await snapshotAgent();
  const id = await after(agent, [
    "import os",
    "os.mkfifo('.gitattributes'); os.mkdir('sub'); os.mkfifo('sub/.gitmodules')",
  ]);
  // A sandbox cannot make them: whoever can has them made here.
  for (const [name, ...kind] of [
    ["null", "c", "1", "3"],
    ["disk", "b", "7", "250"],
  ] as const)
    execFileSync("mknod", [path.join(upperOf(agent, id), name), ...kind]);
  const { refused, added } = await agent.made("diff", id);
  expect(added).toEqual([]);
  expect(refused).toEqual(
    expect.arrayContaining([
      { path: ".gitattributes", reason: "a FIFO" },
      { path: "sub/.gitmodules", reason: "a FIFO" },
      { path: "null", reason: "a device" },
      { path: "disk", reason: "a device" },
    ]),
  );
  expect(await agent.made("save", id)).toMatchObject({ commit: expect.any(String) });
});

test("a path of nearly 4,000 bytes is taken whole", async () => {
  const agent = await snapshotAgent();
  const folder = "d".repeat(200);
  const depth = 19;
  const script = [
    "import os",
    `for _ in range(${depth}): os.mkdir('${folder}'); os.chdir('${folder}')`,
    "open('f' * 170, 'w').write('deep')",
  ];
  const id = await after(agent, script);
  const name = `${`${folder}/`.repeat(depth)}${"f".repeat(170)}`;
  expect(Buffer.byteLength(name)).toBeGreaterThan(3950);
  expect((await agent.made("diff", id)).added).toEqual([name]);
  const { commit } = await agent.made("commit", id);
  expect(agent.git("show", `${commit}:${name}`)).toBe("deep");
});

test("more changed files than can be taken are refused, and no sweep looks at them again", async () => {
  const agent = await snapshotAgent({ resource_limits: { storage: "4Gi", memory: "256Mi" } });
  const script = [
    "import os",
    "for d in range(201):",
    "    os.mkdir(f'd{d}')",
    "    for n in range(1000): os.close(os.open(f'd{d}/{n}', os.O_CREAT))",
  ];
  const id = await after(agent, script);
  const message = expect.stringContaining("more than 200000 changed paths");
  expect(await agent.refused("save", id)).toMatchObject({ code: "E128", message });
  const file = path.join(agent.dir, ".git/kai/snapshots", id, "record.json");
  const record = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ ...record, expiresAt: record.createdAt }));
  const first = await agent.snapshot("run", "1.1.0", "--", "true");
  expect(first.stderr).toContain(
    `The snapshot ${id} of 1.1.0 stays, although its time is over: What the snapshot changed is not taken`,
  );
  expect((await agent.snapshot("run", "1.1.0", "--", "true")).stderr).not.toContain(id);
  await agent.made("destroy", id);
  expect(agent.left()).toEqual(NOTHING_LEFT);
}, 240_000);
