import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { agentWithVersions } from "../support/agent.js";
import { scratch } from "../support/scratch.js";
import { type Place, placeAt, refsOf, refused, told } from "./place.js";

/** A repository with one commit that is no agent yet; `state.json` in it makes init write ignore lines. */
function plainRepository(files: Record<string, string | Buffer> = {}): Place {
  const { dir, env } = scratch();
  const place = placeAt(path.join(dir, "agent"), env);
  execFileSync("git", ["init", "-q", "-b", "main", place.dir], { env });
  for (const [name, content] of Object.entries({ "logic.py": "print(1)\n", ...files })) place.write(name, content);
  place.commit("feat: answer");
  place.write("state.json", "{}\n");
  return place;
}

const inPlace = (place: Place, name: string) => path.join(place.dir, name);

test("init follows no link, and reads and writes nothing outside the repository", async () => {
  const place = plainRepository({ "requirements.txt": "langgraph\n" });
  const secret = path.join(place.dir, "..", "secret");
  writeFileSync(secret, "token\n");
  for (const name of [".gitignore", "kai.yaml"]) {
    symlinkSync(secret, inPlace(place, name));
    const before = refsOf(place);
    for (const more of [[], ["--no-commit"]]) {
      expect(await refused(place, "init", "--yes", ...more)).toMatchObject({
        code: "E123",
        message: expect.stringContaining(name),
      });
    }
    expect(refsOf(place)).toBe(before);
    rmSync(inPlace(place, name));
  }
  expect(readFileSync(secret, "utf8")).toBe("token\n");
  // Detectors read what git lists: a FIFO and a link in its place are passed over.
  rmSync(inPlace(place, "requirements.txt"));
  execFileSync("mkfifo", [inPlace(place, "requirements.txt")]);
  symlinkSync("/dev/zero", inPlace(place, "pyproject.toml"));
  expect(await told(place, "init", "--yes")).toMatchObject({ outcome: "founded", framework: "generic" });
});

test("a kai.yaml that is no file is an error and never waited for", async () => {
  const place = plainRepository();
  execFileSync("mkfifo", [inPlace(place, "kai.yaml")]);
  expect((await refused(place, "status")).code).toBe("E123");
  expect((await refused(place, "init", "--yes")).code).toBe("E123");
});

test("the bytes of a .gitignore stay, whatever their encoding and line ends", async () => {
  const odd = Buffer.from("caf\xe9/\n*.log\r\n", "latin1");
  const place = plainRepository({ ".gitignore": odd });
  await told(place, "init", "--yes");
  const committed = execFileSync("git", ["cat-file", "blob", "HEAD:.gitignore"], { cwd: place.dir, env: place.env });
  expect(committed.subarray(0, odd.length).equals(odd)).toBe(true);
  expect(committed.toString("latin1")).toContain("\r\nstate.json\r\n");
  expect(place.git("status", "--porcelain")).toBe("");
});

test("line ends that autocrlf gives the working tree are not committed", async () => {
  const place = plainRepository({ ".gitignore": "*.log\n" });
  place.git("config", "core.autocrlf", "true");
  rmSync(inPlace(place, ".gitignore"));
  place.git("checkout", "-q", "--", ".gitignore");
  expect(readFileSync(inPlace(place, ".gitignore"), "utf8")).toBe("*.log\r\n");
  await told(place, "init", "--yes");
  const committed = place.git("cat-file", "blob", "HEAD:.gitignore");
  expect(committed).toContain("*.log\n");
  expect(committed).not.toContain("\r");
  expect(place.git("status", "--porcelain")).toBe("");
});

test("a tag current that is not ours is refused before anything is written; a new root puts it aside", async () => {
  const place = plainRepository();
  place.git("tag", "current");
  const before = [refsOf(place), place.git("status", "--porcelain")];
  for (const more of [[], ["--no-commit"]]) {
    expect(await refused(place, "init", "--yes", ...more)).toMatchObject({
      code: "E125",
      message: expect.stringContaining("`current`"),
    });
  }
  expect([refsOf(place), place.git("status", "--porcelain")]).toEqual(before);
  place.git("tag", "stable", "current");
  place.git("tag", "-d", "current");
  expect((await told(place, "init", "--yes")).outcome).toBe("founded");
});

test("--new-root in a clone puts the former root's current aside, and takes no log away that is here", async () => {
  const agent = await agentWithVersions("1.0.0");
  const clone = placeAt(path.join(path.dirname(agent.dir), "clone"), agent.env);
  agent.git("clone", "-q", agent.dir, clone.dir);
  const former = clone.git("rev-parse", "refs/tags/current");
  expect((await told(clone, "init", "--yes", "--new-root")).outcome).toBe("founded");
  expect(refsOf(clone, "refs/kai/conflict")).toContain(former);
  expect((await told(clone, "create", "--as", "2.0.0")).version).toBe("2.0.0");

  const mirror = placeAt(path.join(path.dirname(agent.dir), "mirror.git"), agent.env);
  agent.git("clone", "-q", "--mirror", agent.dir, mirror.dir);
  const before = refsOf(mirror);
  expect((await refused(mirror, "init", "--new-root")).code).toBe("E125");
  expect(refsOf(mirror)).toBe(before);
  expect((await refused(clone, "init", "--new-root")).code).toBe("E125");
});
