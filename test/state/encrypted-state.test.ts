import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { loadAgent } from "../../src/deploy/load-agent.js";
import { ObjectReader } from "../../src/git/object-reader.js";
import { openRepository } from "../../src/git/repository.js";
import { applyState } from "../../src/operation/apply-state.js";
import { openCapture } from "../../src/state/open-capture.js";
import { stageState } from "../../src/state/stage-state.js";
import { Decryption } from "../../src/trust/decrypt.js";
import { generateKey, kaiHome } from "../../src/trust/key-store.js";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { gnupg } from "../support/gnupg.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));
const SECRET = '{"password": "hunter2"}\n';
const sql = (file: string, ...words: string[]) =>
  execFileSync("sqlite3", [file, ...words], { encoding: "utf8" }).trim();

async function agentWithSecrets(...large: Buffer[]): Promise<Agent> {
  const agent = await agentWithVersions();
  agent.write(
    "kai.yaml",
    agent.git("show", "HEAD:kai.yaml").replace("memory.sqlite]", "memory.sqlite, large], encrypt: true"),
  );
  agent.write(".gitignore", "state.json\nmemory.sqlite\nlarge\n");
  agent.commit("feat: keep secrets");
  agent.write("state.json", SECRET);
  for (const content of large) agent.write("large", content);
  sql(path.join(agent.dir, "memory.sqlite"), "create table secrets (what); insert into secrets values ('hunter2');");
  const created = await agent.kai("create", "--as", "1.0.0", "--json");
  expect(created.exit, String(created)).toBe(0);
  return agent;
}

async function restore(agent: Agent, env: NodeJS.ProcessEnv | undefined) {
  const repository = await openRepository(agent.dir, agent.env);
  const reader = new ObjectReader(repository);
  onTestFinished(() => reader.close());
  const folder = path.join(agent.dir, ".git/kai/staging/test");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const decryption = env && new Decryption({ home: kaiHome(env), env });
  const digest = /^Kai-State: (?<digest>.*)$/m.exec(agent.git("cat-file", "tag", "v1.0.0"))?.groups?.["digest"] ?? "";
  const capture = await openCapture(repository, reader, { ref: "refs/kai/state/v1.0.0", digest, decryption });
  await stageState({ ...repository, workTree: agent.dir }, capture, folder, { include: [], exclude: [] });
  return applyState({ folder, gitDir: repository.gitDir, workTree: agent.dir }, agent.env, []);
}

test("encrypted state is nowhere to be read in the repository, is verified without a key, and restored with one", async () => {
  const large = Buffer.alloc(17 * 2 ** 20, "hunter2 in something large\n");
  const agent = await agentWithSecrets(large);
  for (const number of [1, 2]) {
    const content = execFileSync("git", ["cat-file", "blob", `refs/kai/state/v1.0.0:files/${number}`], {
      cwd: agent.dir,
    });
    expect(content.includes("hunter2")).toBe(false);
  }
  const [stored = ""] = readdirSync(path.join(agent.dir, ".git/kai/state"));
  expect(readFileSync(path.join(agent.dir, ".git/kai/state", stored)).includes("hunter2")).toBe(false);
  expect((await agent.kai("verify", "--deep")).exit).toBe(0);
  expect((await loadAgent(agent.dir)).state?.files.map((file) => file.encrypted)).toEqual([true, true, true]);
  expect((await agent.kai("state", "list", "--json")).json().states[0]).toMatchObject({
    encrypted: true,
    where: ["kai", "git"],
  });
  for (const name of ["state.json", "large"]) agent.write(name, "other\n");
  sql(path.join(agent.dir, "memory.sqlite"), "delete from secrets");
  expect(await restore(agent, agent.env)).toEqual([]);
  expect(readFileSync(path.join(agent.dir, "state.json"), "utf8")).toBe(SECRET);
  expect(readFileSync(path.join(agent.dir, "large")).equals(large)).toBe(true);
  expect(sql(path.join(agent.dir, "memory.sqlite"), "select what from secrets")).toBe("hunter2");
});

test("gpg opens what was captured, with the same key", async () => {
  const agent = await agentWithSecrets();
  const pg = gnupg();
  pg.gpg(["--import"], (await agent.kai("key", "export", "--secret")).stdout);
  const message = execFileSync("git", ["cat-file", "blob", "refs/kai/state/v1.0.0:files/1"], { cwd: agent.dir });
  expect(pg.gpg(["--decrypt"], message).toString()).toBe(SECRET);
});

test("without a key that opens it nothing is changed, and it is said which one it takes", async () => {
  const agent = await agentWithSecrets();
  agent.write("state.json", "live\n");
  await expect(restore(agent, undefined)).rejects.toMatchObject({ code: "E110" });
  const other = { KAI_HOME: path.join(agent.dir, "../other") };
  await generateKey({ home: kaiHome(other), name: "Eve", email: "eve@example.com", at: new Date() });
  await expect(restore(agent, other)).rejects.toMatchObject({
    code: "E110",
    hint: expect.stringContaining("key import"),
  });
  expect(readFileSync(path.join(agent.dir, "state.json"), "utf8")).toBe("live\n");
});

test("a key of old that takes no messages is named, and the way out leads out", async () => {
  const agent = await agentWithVersions();
  const env = { ...agent.env, KAI_HOME: path.join(agent.dir, "../old") };
  const pg = gnupg();
  const fingerprint = pg.generate("Olga <olga@example.com>", "ed25519");
  const kai = (...args: string[]) => agent.run(process.execPath, [PROGRAM, ...args], env);
  const takeIn = async () => {
    agent.write("../olga.asc", pg.gpg(["--armor", "--export-secret-keys", fingerprint]));
    expect((await kai("key", "import", "../olga.asc")).exit).toBe(0);
  };
  await takeIn();
  for (const ref of ["refs/kai/log", "refs/notes/kai"]) agent.git("update-ref", "-d", ref);
  rmSync(path.join(agent.dir, ".git/kai"), { recursive: true });
  agent.write(
    "kai.yaml",
    agent.git("show", "HEAD:kai.yaml").replace("memory.sqlite]", "memory.sqlite], encrypt: true"),
  );
  agent.commit("feat: keep secrets");
  const founded = await kai("init", "--yes", "--new-root");
  expect(founded.exit, String(founded)).toBe(0);
  agent.write("state.json", SECRET);
  const refused = await kai("create", "--as", "1.0.0", "--json");
  expect(refused.json().error).toMatchObject({ code: "E110", message: expect.stringContaining(fingerprint) });
  expect(agent.git("tag")).toBe("");
  pg.gpg(["--quick-add-key", fingerprint, "cv25519", "encr", "never"]);
  await takeIn();
  const created = await kai("create", "--as", "1.0.0", "--json");
  expect(created.exit, String(created)).toBe(0);
  agent.write("state.json", "other\n");
  expect(await restore({ ...agent, env }, env)).toEqual([]);
  expect(readFileSync(path.join(agent.dir, "state.json"), "utf8")).toBe(SECRET);
});
