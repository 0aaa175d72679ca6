import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { scratch } from "../support/scratch.js";
import { snapshotAgent } from "./snapshot-agent.js";

/** A disk of 48 MB, which only root can make. */
function smallDisk(): string {
  const disk = path.join(scratch().dir, "disk");
  mkdirSync(disk);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=48m", "kai-test", disk]);
  onTestFinished(() => void execFileSync("umount", ["--lazy", disk]));
  return disk;
}

/** More than that disk takes, and more than memory may hold. */
const FILL = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do head -c 10000000 /dev/urandom > f$i; done; sync; echo $?";

test.runIf(process.getuid?.() === 0)(
  "what the host's full disk did not take is kept by nobody, although the sandbox was told that all is well",
  async () => {
    const limits = { storage: "1Gi", memory: "32Mi" };
    const agent = await snapshotAgent({ temp_dir: path.join(smallDisk(), "snapshots"), resource_limits: limits });
    const { id } = await agent.made("create", "1.1.0");
    expect(await agent.made("exec", id, "--", "sh", "-c", FILL)).toMatchObject({ stdout: "0\n" });
    for (const _ of ["first", "again"]) {
      const { error } = (await agent.snapshot("save", id, "--json")).json();
      expect(error).toMatchObject({ code: "E118", hint: expect.stringContaining(`snapshot destroy ${id}`) });
    }
    expect((await agent.snapshot("commit", id, "--json")).json().error.code).toBe("E118");
    await agent.made("destroy", id);
    const told = await agent.snapshot("run", "1.1.0", "--", "sh", "-c", FILL);
    expect([told.exit, told.stderr]).toEqual([1, expect.stringContaining("What it wrote is not whole:")]);
    const run = (await agent.snapshot("run", "1.1.0", "--commit", "--json", "--", "sh", "-c", FILL)).json();
    expect(run).toMatchObject({
      exitCode: 0,
      passed: false,
      branch: null,
      failures: [expect.stringContaining("not whole")],
    });
    expect(agent.git("ls-tree", "-r", "--name-only", run.run)).not.toContain("artifacts");
  },
);
