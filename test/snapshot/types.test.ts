import { expect, test } from "vitest";
import { snapshotAgent } from "./snapshot-agent.js";

const BYTES = Buffer.from([0, 1, 2, 13, 10, 255, 254, 0]);

/** Binaries, modes, deletions, empty files, links, names that are no UTF-8: all that a save must keep. */
const CHANGE = [
  "printf '\\000\\001\\002\\015\\012\\377\\376\\000' > bin.dat",
  ": > empty",
  "chmod +x logic.py",
  "rm -r tools",
  "ln -s logic.py link",
  "mkdir -p deep/er",
  'printf x > "deep/er/$(printf "\\351\\012name")"',
].join("; ");

for (const type of ["copy_on_write", "full", "incremental", "differential"] as const) {
  test(`${type}: what is saved is what was there, byte for byte`, async () => {
    const agent = await snapshotAgent();
    const { id } = await agent.made("create", "1.1.0", "--type", type);
    await agent.made("exec", id, "--", "sh", "-ec", CHANGE);
    const first = await agent.made("save", id);
    const shown = (await agent.run("git", ["ls-tree", "-r", "-z", first.commit])).stdout.split("\0").filter(Boolean);
    const modes = new Map(shown.map((line) => [line.slice(line.indexOf("\t") + 1), line.slice(0, 6)]));
    expect(Object.fromEntries(modes)).toMatchObject({
      "bin.dat": "100644",
      empty: "100644",
      "logic.py": "100755",
      link: "120000",
    });
    expect([...modes.keys()].some((name) => name.startsWith("tools"))).toBe(false);
    expect([...modes.keys()].filter((name) => name.startsWith("deep/er/"))).toHaveLength(1);
    expect(Buffer.from(agent.git("cat-file", "blob", `${first.commit}:bin.dat`), "latin1").length).toBeGreaterThan(0);
    const raw = await agent.run("sh", ["-c", `git cat-file blob ${first.commit}:bin.dat | od -An -tx1 | tr -d ' \\n'`]);
    expect(raw.stdout).toBe(BYTES.toString("hex"));

    await agent.made("exec", id, "--", "sh", "-ec", "echo second > second.txt; rm empty");
    const second = await agent.made("save", id);
    expect(second.parent).toBe(type === "incremental" ? first.commit : agent.git("rev-parse", "v1.1.0^{commit}"));
    const since = type === "incremental" ? ["empty", "second.txt"] : expect.arrayContaining(["bin.dat", "second.txt"]);
    expect(second.changed).toEqual(since);
    expect(await agent.made("save", id)).toMatchObject({ made: false, commit: second.commit });
  });
}

test("layered: stands on what its base saved, several deep, and does not need the base any more", async () => {
  const agent = await snapshotAgent();
  const { id: base } = await agent.made("create", "1.1.0");
  expect(await agent.refused("create", "1.1.0", "--base", base)).toMatchObject({ code: "E125" });
  await agent.made("exec", base, "--", "sh", "-c", "echo one > one.txt; rm prompts/system.md");
  await agent.made("save", base);
  const { id: second } = await agent.made("create", "1.1.0", "--base", base);
  await agent.made("exec", second, "--", "sh", "-c", "cat one.txt; echo two > two.txt");
  await agent.made("save", second);
  const { id: third, type, base: on } = await agent.made("create", "1.1.0", "--base", second);
  expect([type, on]).toEqual(["layered", second]);
  for (const id of [base, second]) await agent.made("destroy", id);
  const seen = await agent.made(
    "exec",
    third,
    "--",
    "sh",
    "-c",
    "cat one.txt two.txt; ls prompts; echo three > one.txt",
  );
  expect(seen.stdout).toBe("one\ntwo\n");
  expect(await agent.made("diff", third)).toMatchObject({ added: [], modified: ["one.txt"], deleted: [] });
  // Committed, it has all that lies below it.
  const committed = await agent.made("commit", third);
  expect(committed.changed.map(({ path }: { path: string }) => path)).toEqual([
    "one.txt",
    "prompts/system.md",
    "two.txt",
  ]);
});
