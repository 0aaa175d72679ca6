import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ObjectReader } from "../../src/git/object-reader.js";
import { openRepository, type Repository } from "../../src/git/repository.js";
import { applyState } from "../../src/operation/apply-state.js";
import { canonicalJson } from "../../src/operation/canonical-json.js";
import { openCapture } from "../../src/state/open-capture.js";
import { stageState } from "../../src/state/stage-state.js";
import { type Agent, agentWithVersions } from "../support/agent.js";

const PATTERNS = { include: ["state.json", "memory*", "notes/"], exclude: ["notes/kept.txt"] };
const REF = "refs/kai/state/v1.0.0";

async function opened(agent: Agent, digest: string | null = null, ref = REF) {
  const repository = await openRepository(agent.dir, agent.env);
  const reader = new ObjectReader(repository);
  onTestFinished(() => reader.close());
  return {
    repository: repository as Repository & { workTree: string },
    capture: await openCapture(repository, reader, { ref, digest }),
  };
}

/** Restores the capture as an operation would, without its log entry. */
async function restore(agent: Agent, ref = REF) {
  const { repository, capture } = await opened(agent, null, ref);
  const folder = path.join(agent.dir, ".git/kai/staging/test");
  mkdirSync(folder);
  await stageState(repository, capture, folder, PATTERNS);
  return applyState({ folder, gitDir: repository.gitDir, workTree: agent.dir }, agent.env, []);
}

/** A ref with a capture whose list of files is `files`, made by somebody who does not play by the rules. */
function forged(agent: Agent, files: readonly object[], content: string): string {
  agent.write(".git/capture", `${canonicalJson({ format: "kai-capture/1", files })}\n`);
  agent.write(".git/content", content);
  const [list, blob] = ["capture", "content"].map((name) => agent.git("hash-object", "-w", `.git/${name}`));
  const mktree = (text: string) =>
    execFileSync("git", ["mktree"], { cwd: agent.dir, env: agent.env, input: text }).toString().trim();
  const folder = mktree(files.map((_, number) => `100644 blob ${blob}\t${number}\n`).join(""));
  const tree = mktree(`100644 blob ${list}\tcapture.json\n040000 tree ${folder}\tfiles\n`);
  agent.git("update-ref", "refs/kai/state/forged", agent.git("commit-tree", "-m", "x", tree));
  return "refs/kai/state/forged";
}

const described = (name: string, content: string) => ({
  path: name,
  mode: "100644",
  kind: "file",
  size: content.length,
  sha256: createHash("sha256").update(content).digest("hex"),
});

test("the state of a version comes back to the byte, and what came since goes, but for what is excluded", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.write("state.json", "{}\n");
  for (const name of ["memory.txt", "notes/new.txt", "notes/kept.txt", "other.txt"]) agent.write(name, "since\n");
  expect(await restore(agent)).toEqual([]);
  expect(readFileSync(path.join(agent.dir, "state.json"), "utf8")).toBe('{"seen": "1.0.0"}\n');
  const left = agent.git("ls-files", "--others", "--exclude=/.git").split("\n");
  expect(left).toEqual(["notes/kept.txt", "other.txt", "state.json"]);
});

test("a capture that is not here, or not the one that was signed, or altered, is refused", async () => {
  const agent = await agentWithVersions("1.0.0");
  const digest = /^Kai-State: (?<digest>.*)$/m.exec(agent.git("cat-file", "tag", "v1.0.0"))?.groups?.["digest"] ?? "";
  expect((await opened(agent, digest)).capture.digest).toBe(digest);
  await expect(opened(agent, null, "refs/kai/state/v9.9.9")).rejects.toMatchObject({ code: "E102" });
  await expect(opened(agent, `sha256:${"0".repeat(64)}`)).rejects.toMatchObject({ code: "E102" });
  for (const content of ["evil", "longer than that", ""]) {
    const ref = forged(agent, [described("state.json", "good")], content);
    await expect(restore(agent, ref)).rejects.toMatchObject({ code: "E102", data: { paths: ["state.json"] } });
    execFileSync("rm", ["-r", path.join(agent.dir, ".git/kai/staging/test")]);
  }
  expect(readFileSync(path.join(agent.dir, "state.json"), "utf8")).toBe('{"seen": "1.0.0"}\n');
});

test.each([
  "../outside",
  "a/../../outside",
  ".git/hooks/post-commit",
  "x/.GIT/config",
  "/%2E%2E/outside",
  "/..",
  "",
  "a//b",
  "./a",
])("a capture with the path %j is refused", async (name) => {
  const agent = await agentWithVersions("1.0.0");
  const ref = forged(agent, [described(name, "x")], "x");
  await expect(restore(agent, ref)).rejects.toMatchObject({ code: "E102" });
});

test("two files of a capture never share a path", async () => {
  const agent = await agentWithVersions("1.0.0");
  for (const other of ["a", "a/b"]) {
    const ref = forged(agent, [described("a", "x"), described(other, "x")], "x");
    await expect(opened(agent, null, ref)).rejects.toMatchObject({ code: "E102" });
  }
});

test("nothing is staged where a link or a folder is in the way", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.remove("state.json");
  symlinkSync("/etc/hostname", path.join(agent.dir, "state.json"));
  await expect(restore(agent)).rejects.toMatchObject({ code: "E102", data: { paths: ["state.json"] } });
});
