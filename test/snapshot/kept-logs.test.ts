import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { ExecutionOutput } from "../../src/snapshot/sandbox/execution-output.js";
import { snapshotAgent } from "./snapshot-agent.js";

test("of a long output beginning and end are kept with the run, and all of it until cleanup_after is over", async () => {
  const agent = await snapshotAgent();
  const script = "echo BEGIN; yes | head -c 3000000; echo END; echo failed >&2; exit 3";
  const ran = await agent.snapshot("run", "1.1.0", "--json", "--", "sh", "-c", script);
  const { id, run, stdout, outputDropped } = ran.json();
  expect(stdout).toMatch(/^BEGIN\ny\n[\s\S]*\n\[\d+ bytes are not kept here\]\n[\s\S]*y\nEND\n$/);
  expect(stdout.length).toBeLessThan(1.1 * 1024 * 1024);
  expect(stdout).toContain(`[${outputDropped} bytes are not kept here]`);
  expect(Number(agent.git("cat-file", "-s", `${run}:stdout`))).toBe(stdout.length);
  const all = await agent.snapshot("logs", id);
  expect(all.stdout).toMatch(/^BEGIN\n[\s\S]*y\nEND\n$/);
  expect(all).toMatchObject({ exit: 0, stderr: "failed\n" });
  expect(all.stdout).toHaveLength(3_000_000 + "BEGIN\nEND\n".length);
  expect(await agent.made("logs", id.slice(-8), "--list")).toMatchObject({
    total: 1,
    executions: [{ id, state: "ended", exitCode: 3, command: ["sh", "-c", script] }],
  });
  const short = await agent.made("run", "1.1.0", "--", "echo", "short");
  expect(await agent.snapshot("logs", short.id)).toMatchObject({ exit: 0, stdout: "short\n", stderr: "" });
  expect((await agent.made("prune")).orphans).toEqual([]);
  const file = path.join(agent.dir, "kai.yaml");
  const config = JSON.parse(readFileSync(file, "utf8"));
  config.snapshot_isolation.cleanup_after = "1s";
  agent.write("kai.yaml", JSON.stringify(config));
  agent.commit("chore: clean up soon");
  expect((await agent.made("prune", "--dry-run")).orphans).toContain(`the output of the run ${id}`);
  expect((await agent.made("prune")).orphans).toContain(`the output of the run ${id}`);
  const rest = await agent.snapshot("logs", id);
  expect(rest).toMatchObject({ exit: 0, stdout });
  expect(rest.stderr).toMatch(/^failed\nWarning: 1\.9 MiB of it are not kept any more/);
});

test("a run whose output cannot be kept is a run all the same, and what is looked for is found where its record was cut", async () => {
  const test = "seq 1 90000; echo MIDDLE; seq 1 190000";
  const tests = [{ name: "long", run: `sh -c "${test}"`, expect: { stdout: "MIDDLE" } }];
  const agent = await snapshotAgent({ tests });
  agent.write(".git/kai/logs", "in the way");
  const ran = await agent.snapshot("test", "1.1.0");
  expect(String(ran)).toContain("could not be kept");
  expect(ran.exit).toBe(0);
  expect(agent.git("log", "-1", "--format=%s", "refs/kai/runs")).toContain("passed");
  const { exit, stderr } = await agent.snapshot("run", "1.1.0", "--secret", "UID=env:HOME", "--", "true");
  expect({ exit, stderr }).toMatchObject({ exit: 2, stderr: expect.stringContaining("UID is a shell's own variable") });
});

test("what is cut out of an output begins and ends with whole characters", async () => {
  const output = await ExecutionOutput.open({ folder: undefined, id: "cut", secrets: [] });
  output.take("stdout", Buffer.from(`x${"ä".repeat(1_500_000)}`));
  output.take("stderr", Buffer.from("😀".repeat(100)));
  const { stdout, stderr, dropped } = await output.end();
  const text = stdout.toString();
  expect(isUtf8(stdout) && text.includes(`[${dropped} bytes are not kept here]`)).toBe(true);
  expect(3_000_001 - dropped).toBe(stdout.length - `\n[${dropped} bytes are not kept here]\n`.length);
  expect(stderr.toString()).toBe("😀".repeat(100));
});
