import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { scratch } from "../support/scratch.js";
import { snapshotAgent } from "./snapshot-agent.js";

/** A folder on an overlay, as all of a container is, and many a CI runner. */
function overlay(): string {
  const { dir } = scratch();
  const [lower = "", upper = "", work = "", merged = ""] = ["l", "u", "w", "m"].map((name) => path.join(dir, name));
  for (const folder of [lower, upper, work, merged]) mkdirSync(folder);
  const layers = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  execFileSync("mount", ["-t", "overlay", "overlay", "-o", layers, merged]);
  onTestFinished(() => {
    execFileSync("umount", ["--lazy", merged]);
  });
  return merged;
}

test("sandboxes can be had where temp_dir is on an overlay, and doctor says what that costs", async () => {
  const agent = await snapshotAgent({ temp_dir: path.join(overlay(), "snapshots") });
  for (const files of [[], ["--filesystem", "none"], ["--filesystem", "tmpfs"]]) {
    const ran = await agent.made("run", ...files, "1.1.0", "--", "sh", "-c", "echo new > new.txt");
    expect(ran.artifacts).toEqual([{ path: "new.txt", change: "added" }]);
  }
  for (const type of ["copy_on_write", "full"]) {
    const { id } = await agent.made("create", "--type", type, "1.1.0");
    await agent.made("exec", id, "--", "sh", "-c", "echo new > new.txt");
    expect(await agent.made("diff", id)).toMatchObject({ added: ["new.txt"], modified: [] });
    await agent.made("destroy", id);
  }
  const { checks } = (await agent.kai("doctor", "--json")).json();
  const found = checks.find(({ name }: { name: string }) => name === "podman overlay");
  expect(found).toMatchObject({
    state: "warn",
    detail: expect.stringContaining("temp_dir's file system can have none: only sandboxes with a disk of their own"),
    remedy: expect.stringMatching(/^Put temp_dir on ext4, XFS or Btrfs: /),
  });
});
