import { rmSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { openRepository } from "../../src/git/repository.js";
import { parseRunMessage } from "../../src/snapshot/runs/parse-run.js";
import { recordRun } from "../../src/snapshot/runs/record-run.js";
import type { RunRecord } from "../../src/snapshot/runs/run-record.js";
import { kaiHome } from "../../src/trust/key-store.js";
import { openSigner } from "../../src/trust/signer.js";
import { snapshotAgent } from "./snapshot-agent.js";

const TESTS = [
  { name: "answers", run: "python3 logic.py" },
  { name: "fails", run: "echo seen; exit 3", expect: { stdout: "never" } },
];

test("what was run is listed, the newest first, by version, scenario and outcome, and shown whole", async () => {
  const agent = await snapshotAgent({ tests: TESTS });
  expect(await agent.made("runs")).toEqual({ schemaVersion: 1, total: 0, runs: [] });
  expect((await agent.snapshot("runs")).stdout).toMatch(/^Nothing was run yet: /);
  expect((await agent.snapshot("runs", "--failed")).stdout).toBe("There is no such run.\n");
  await agent.snapshot("test", "1.1.0");
  const { id: snapshot } = await agent.made("create", "1.1.0");
  const inside = await agent.made("exec", snapshot, "--", "sh", "-c", "echo x > made.txt");
  const before = await agent.made("run", "1.0.0", "--", "sh", "-c", "echo out; echo err >&2; echo x > new.txt");

  const { total, runs } = await agent.made("runs");
  expect(total).toBe(4);
  expect(runs).toMatchObject([
    { id: before.id, run: before.run, version: "1.0.0", snapshot: null, scenario: null, passed: true, unproven: null },
    {
      id: inside.id,
      version: "1.1.0",
      pristine: false,
      snapshot,
      command: ["sh", "-c", "echo x > made.txt"],
      exitCode: 0,
    },
    { version: "1.1.0", scenario: { name: "fails", kind: "functionality" }, passed: false, exitCode: 3 },
    { version: "1.1.0", pristine: true, scenario: { name: "answers" }, passed: true, actor: { name: "Ada Agent" } },
  ]);
  for (const { durationMs } of runs) expect(Number.isInteger(durationMs) && durationMs >= 1).toBe(true);
  const idsOf = async (...args: string[]) => (await agent.made("runs", ...args)).runs.map((run: RunRecord) => run.id);
  const [, , fails, answers] = runs.map((run: RunRecord) => run.id);
  expect(await idsOf("1.1.0")).toEqual([inside.id, fails, answers]);
  expect(await idsOf("HEAD", "--limit", "1")).toEqual([inside.id]);
  expect(await idsOf("v1.0.0")).toEqual([before.id]);
  expect(await idsOf("--failed")).toEqual([fails]);
  expect(await idsOf("--scenario", "answers")).toEqual([answers]);
  expect(await idsOf("--limit", "0")).toEqual([]);
  expect(await agent.refused("runs", "9.9.9")).toMatchObject({ code: "E101" });
  expect((await agent.snapshot("runs", "--failed")).stdout).toMatch(
    /^RUN .*\n\S+ .* 1\.1\.0 +failed \(3\) .* fails\n$/,
  );

  const shown = await agent.made("show", before.id.slice(-9).toLowerCase());
  expect(shown).toMatchObject({ status: "ended", id: before.id, run: before.run, unproven: null, pristine: true });
  expect(shown.artifacts).toEqual([{ path: "new.txt", change: "added" }]);
  const text = (await agent.snapshot("show", fails)).stdout;
  for (const part of [
    "fails (functionality)",
    "failed, exit status 3",
    "a sandbox that is gone",
    "Ada",
    "network none",
  ])
    expect(text).toContain(part);

  // What a run printed, also of one in a snapshot that is gone.
  expect(await agent.snapshot("logs", before.id)).toMatchObject({ exit: 0, stdout: "out\n", stderr: "err\n" });
  const long = await agent.made("exec", snapshot, "--", "sh", "-c", "yes | head -c 3000000");
  expect((await agent.snapshot("logs", long.id)).stdout).toHaveLength(3_000_000);
  await agent.made("destroy", snapshot);
  const cut = await agent.snapshot("logs", long.id);
  expect(cut.stdout.length).toBeLessThan(1.1 * 1024 * 1024);
  expect(cut.stderr).toContain("1.9 MiB of it are not kept any more");
  expect(await agent.snapshot("logs", inside.id)).toMatchObject({ exit: 0, stdout: "" });
  expect((await agent.snapshot("logs", fails)).stdout).toBe("seen\n");
  expect(await agent.made("logs", fails, "--execution", fails)).toMatchObject({
    executions: [{ id: fails, state: "ended", exitCode: 3, stdout: 5, output: { stdout: "seen\n" } }],
  });
  for (const command of ["show", "logs"])
    expect(await agent.refused(command, "NONE")).toMatchObject({
      code: "E101",
      message: "There is neither a snapshot nor a run NONE.",
      hint: expect.stringContaining("snapshot runs"),
    });
  expect(await agent.refused("show", "0")).toMatchObject({ code: "E122" });
});

test("a run that nobody, or somebody else, signed is listed as unproven, and what is no run is passed over", async () => {
  const agent = await snapshotAgent();
  await agent.made("run", "1.1.0", "--", "echo", "real");
  const repository = await openRepository(agent.dir, agent.env);
  const ada = await openSigner({ home: kaiHome(agent.env), env: agent.env });
  const tip = () => agent.git("rev-parse", "refs/kai/runs");
  const record = parseRunMessage(agent.git("log", "-1", "--format=%B", tip())) as RunRecord;
  const add = (made: object, signer?: typeof ada, printed = "") => {
    const output = { stdout: Buffer.from(printed), stderr: Buffer.alloc(0) };
    return recordRun(repository, { record: made as RunRecord, ...output, files: new Map() }, signer, tip());
  };
  const forged = "01K00000000000000000000000";
  await add({
    ...record,
    id: forged,
    command: ["echo", "\u001b[2J", "a\nb"],
    // As of a snapshot that is gone, and as if it were proven.
    ...{ status: "gone", saved: "refs/heads/main", savedAt: "2026-01-01T00:00:00Z", unproven: null, run: "0" },
    failures: ["\u001b]0;x\u0007"],
    passed: false,
  });
  await add({ ...record, id: "01K00000000000000000000001", repo: "0".repeat(32) }, ada);
  const line = "1.1.0\n01K00000000000000000000009  2026-01-01 00:00  1.1.0  passed";
  await add({
    ...record,
    id: "01K00000000000000000000008",
    version: line,
    actor: { name: line, email: line, key: "A" },
  });
  // Not whole, or no run at all.
  await add({ ...record, id: "../../etc" }, ada);
  await add({ ...record, id: "01K00000000000000000000002", requests: [{ host: 1 }] }, ada);
  agent.git("update-ref", "refs/kai/runs", agent.git("commit-tree", "HEAD^{tree}", "-p", tip(), "-m", "no run"));

  expect((await agent.made("runs")).runs).toMatchObject([
    { id: "01K00000000000000000000008", unproven: "nobody signed it" },
    { id: "01K00000000000000000000001", unproven: "it was made for another repository" },
    { id: forged, unproven: "nobody signed it" },
    { id: record.id, unproven: null },
  ]);
  const list = await agent.snapshot("runs");
  expect(list.stdout).toContain("2 unproven: nobody signed it\n");
  const shown = await agent.snapshot("show", forged);
  expect(shown.stdout).toContain("unproven: nobody signed it");
  const lines = await agent.snapshot("show", "01K00000000000000000000008");
  for (const { stdout } of [list, shown, lines]) {
    expect(stdout).not.toMatch(/^01K00000000000000000000009/m);
    expect(stdout).not.toContain("\u001b");
    expect(stdout).not.toContain("a\nb");
  }
  expect(await agent.refused("show", "01K00000000000000000000002")).toMatchObject({ code: "E101" });

  // A genuine run goes on being found by its id, and of several that were made up none is taken for another.
  await add({ ...record, failures: Array(200_000).fill("x"), version: "9".repeat(5_000_000) }, undefined, "other\n");
  expect(await agent.made("show", record.id)).toMatchObject({ version: "1.1.0", unproven: null, failures: [] });
  expect(await agent.snapshot("logs", record.id)).toMatchObject({ exit: 0, stdout: "real\n", stderr: "" });
  expect((await agent.snapshot("runs")).stdout.length).toBeLessThan(5_000);
  expect(await agent.refused("show", "01K")).toMatchObject({ code: "E122" });
  await add({ ...record, id: "01K0000000000000000000000A" }, undefined, "y".repeat(5_000_000));
  const logs = await agent.snapshot("logs", "01K0000000000000000000000A");
  expect(logs.stdout).toHaveLength(4 * 1024 * 1024);
  expect(logs.stderr).toContain("787 KiB of it are not kept any more");
  expect(logs.stderr).toContain("That it printed this is unproven: nobody signed it.");
  expect(await agent.made("logs", "01K0000000000000000000000A")).toMatchObject({
    total: 1,
    lost: 5_000_000 - 4 * 1024 * 1024,
    unproven: "nobody signed it",
  });

  // A clone that has no log, or one that is damaged, knows nobody.
  const tree = agent.git("rev-parse", "refs/kai/log^{tree}");
  rmSync(path.join(agent.dir, ".git", "objects", tree.slice(0, 2), tree.slice(2)));
  const [first] = (await agent.made("runs", "--limit", "1")).runs;
  expect(first.unproven).toContain(tree);
  agent.git("update-ref", "-d", "refs/kai/log");
  const [second] = (await agent.made("runs", "--limit", "1")).runs;
  expect(second.unproven).toMatch(/log/);
});
