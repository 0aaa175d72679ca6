import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Agent, agentWithVersions } from "../support/agent.js";

const sql = (file: string, text: string) => execFileSync("sqlite3", [file, text], { encoding: "utf8" }).trim();

const digestOf = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");

/** The captured file of that name in the newest version's capture. */
function captured(agent: Agent, tag: string, name: string): Buffer {
  const { files } = JSON.parse(agent.git("cat-file", "blob", `refs/kai/state/${tag}:capture.json`));
  const number = files.findIndex((file: { path: string }) => file.path === name);
  const kept = path.join(agent.dir, ".git/kai/state", files[number]?.sha256 ?? "");
  if (existsSync(kept)) return readFileSync(kept);
  return execFileSync("git", ["cat-file", "blob", `refs/kai/state/${tag}:files/${number}`], {
    cwd: agent.dir,
    env: agent.env,
    maxBuffer: 1 << 28,
  });
}

// So large that a copy that begins anew with each transaction would never come to its end.
const LARGE =
  "create table filler (x); with recursive n(i) as (select 1 union all select i + 1 from n where i < 4000) insert into filler select randomblob(10000) from n;";

test.each([
  ["small", ""],
  ["large", LARGE],
])("a database under four writers, %s, is captured as it was between two transactions", async (_what, more) => {
  const agent = await agentWithVersions();
  const database = path.join(agent.dir, "memory.sqlite");
  sql(
    database,
    `pragma journal_mode=wal; ${more} create table pairs (writer, turn, half); create table turns (writer, turn);`,
  );
  // Each transaction writes both halves of a pair and its turn; a torn copy would have one without the other.
  const writers = [1, 2, 3, 4].map((writer) => {
    const script = `n=0; while [ ! -e ../stop ]; do n=$((n+1)); echo "begin immediate; insert into pairs values (${writer}, $n, 'a'); insert into turns values (${writer}, $n); insert into pairs values (${writer}, $n, 'b'); commit;"; done | sqlite3 -cmd '.timeout 20000' memory.sqlite`;
    const child = spawn("sh", ["-c", script], { cwd: agent.dir, env: agent.env, stdio: "ignore" });
    onTestFinished(() => {
      child.kill("SIGKILL");
    });
    return once(child, "close");
  });
  const tags: string[] = [];
  for (let turn = 0; turn < 3; turn++) {
    tags.push((await agent.kai("create", "--allow-unchanged", "--json")).json().tag);
  }
  agent.write("../stop", "");
  await Promise.all(writers);
  let before = 0;
  for (const tag of tags) {
    const copy = path.join(agent.dir, `../${tag}.sqlite`);
    writeFileSync(copy, captured(agent, tag, "memory.sqlite"));
    expect(sql(copy, "pragma integrity_check")).toBe("ok");
    expect(sql(copy, "select count(*) from (select writer, turn from pairs group by 1, 2 having count(*) <> 2)")).toBe(
      "0",
    );
    expect(sql(copy, "select writer, max(turn) - count(*) from turns group by 1 having max(turn) <> count(*)")).toBe(
      "",
    );
    const rows = Number(sql(copy, "select count(*) from turns"));
    expect(rows).toBeGreaterThanOrEqual(before);
    before = rows;
  }
  expect(before).toBeGreaterThan(0);
});

test("links, pipes and folders that are named as state are passed over, never followed", async () => {
  const agent = await agentWithVersions();
  agent.write("../secret", "not the agent's\n");
  symlinkSync("../secret", path.join(agent.dir, "memory.sqlite"));
  await agent.run("mkfifo", ["state.json"]);
  const created = await agent.kai("create", "--as", "1.0.0", "--json");
  expect(created.exit, String(created)).toBe(0);
  const listed = agent.git("for-each-ref", "refs/kai/state");
  if (listed !== "") expect(agent.git("ls-tree", "-r", "--name-only", "refs/kai/state/v1.0.0")).toBe("capture.json");
});

test("what is captured is what was there, to the byte, and its digest is in the signed tag", async () => {
  const agent = await agentWithVersions();
  const bytes = Buffer.from([0, 13, 10, 255, 254, 10]);
  agent.write("state.json", bytes);
  await agent.kai("create", "--as", "1.0.0");
  expect(captured(agent, "v1.0.0", "state.json")).toEqual(bytes);
  expect(agent.git("cat-file", "tag", "v1.0.0")).toMatch(/^Kai-State: sha256:[0-9a-f]{64}$/m);
});

test("a database whose name is not UTF-8 is captured, what waits in its write-ahead log too, and keeps a path of its own", async () => {
  const agent = await agentWithVersions();
  agent.write("kai.yaml", agent.git("show", "HEAD:kai.yaml").replace("memory.sqlite", '"memory*"'));
  agent.write(".gitignore", "state.json\nmemory*\n");
  agent.commit("feat: many memories");
  const name = Buffer.from("memory\xff.sqlite", "latin1");
  sql(path.join(agent.dir, "plain"), "pragma journal_mode=wal; create table t (x);");
  renameSync(path.join(agent.dir, "plain"), Buffer.concat([Buffer.from(`${agent.dir}/`), name]));
  const writer = spawn("sh", ["-c", `exec sqlite3 "$(printf 'memory\\377.sqlite')"`], {
    cwd: agent.dir,
    env: agent.env,
  });
  onTestFinished(() => {
    writer.kill("SIGKILL");
  });
  writer.stdin.write("pragma wal_autocheckpoint=0; insert into t values (42); select 'written';\n");
  await once(writer.stdout, "data");
  sql(path.join(agent.dir, "memory%FF.sqlite"), "create table t (x); insert into t values (1);");
  const before = readdirSync(agent.dir, "latin1").sort();
  const created = await agent.kai("create", "--as", "1.0.0", "--json");
  expect(created.exit, String(created)).toBe(0);
  expect(created.json().state.files).toEqual(["memory%FF.sqlite", "/memory%FF.sqlite"]);
  expect(readdirSync(agent.dir, "latin1").sort()).toEqual(before);
  const copy = path.join(agent.dir, "../copy.sqlite");
  for (const [index, value] of ["1", "42"].entries()) {
    writeFileSync(copy, captured(agent, "v1.0.0", index === 0 ? "memory%FF.sqlite" : "/memory%FF.sqlite"));
    expect(sql(copy, "select x from t")).toBe(value);
  }
});

test("a repository whose path has a line feed: state is captured, and changes are backed up", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const place = path.join(path.dirname(agent.dir), "line\nfeed");
  cpSync(agent.dir, place, { recursive: true, verbatimSymlinks: true });
  const there = { ...agent, dir: place, git: (...args: string[]) => agent.git("-C", place, ...args) };
  const kai = (...args: string[]) => agent.kai("-C", place, ...args);
  const created = await kai("create", "--as", "1.2.0", "--allow-unchanged", "--json");
  expect(created.exit, String(created)).toBe(0);
  expect(captured(there, "v1.2.0", "state.json").toString()).toBe('{"seen": "1.1.0"}\n');
  writeFileSync(path.join(place, "logic.py"), "mine\n");
  const back = await kai("rollback", "1.0.0", "--force", "--json");
  expect(back.exit, String(back)).toBe(0);
  expect(there.git("show", `${back.json().backup}:logic.py`)).toBe("mine");
});

test("what state.exclude names is neither captured nor ignored", async () => {
  const agent = await agentWithVersions();
  const configuration = agent.git("show", "HEAD:kai.yaml");
  const state = 'state: {include: ["*.json", "memory/"], exclude: [seed.json, memory/seed.txt]}';
  agent.write("kai.yaml", configuration.replace(/state: \{include: .*\}/, state));
  for (const name of ["live.json", "seed.json", "memory/live.txt", "memory/seed.txt"]) agent.write(name, "{}\n");
  agent.git("commit", "-q", "-am", "feat: more state");
  const created = await agent.kai("create", "--json");
  expect(created.exit, String(created)).toBe(0);
  expect(created.json().state.files).toEqual(["live.json", "memory/live.txt"]);
});

test("what was deployed into a folder that git ignores is no live state", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.write(".gitignore", `${readFileSync(path.join(agent.dir, ".gitignore"), "utf8")}/out/\n`);
  agent.write("versions/v1/state.json", "{}\n");
  agent.write(".kai-deployment.json", "the user's own\n");
  agent.commit("feat: ignore what is deployed");
  expect((await agent.kai("deploy", "1.0.0", "--to", "out")).exit).toBe(0);
  const { state } = (await agent.kai("create", "--json")).json();
  expect(state.files).toEqual(["state.json", "versions/v1/state.json"]);
});

test("whether all of it is of one moment is found out, and said where it is not", async () => {
  const agent = await agentWithVersions();
  agent.write("state.json", "{}\n");
  sql(path.join(agent.dir, "memory.sqlite"), "pragma journal_mode=wal; create table seen (what);");
  const still = await agent.kai("create", "--as", "1.0.0", "--json");
  expect(still.json().state.consistent).toBe(true);
  const script = "touch ../writes; while [ ! -e ../stop ]; do echo '{}' > state.json; done";
  const writer = spawn("sh", ["-c", script], { cwd: agent.dir, env: agent.env, stdio: "ignore" });
  onTestFinished(() => {
    writer.kill("SIGKILL");
  });
  await expect.poll(() => existsSync(path.join(agent.dir, "../writes")), { timeout: 10_000 }).toBe(true);
  const moving = await agent.kai("create", "--as", "1.1.0", "--allow-unchanged");
  agent.write("../stop", "");
  expect(moving.stderr).toBe(
    "Warning: memory.sqlite and state.json were captured one after the other, and some were written meanwhile: they may be of different moments. The agent was not stopped: To be stopped for a moment it needs lifecycle.stop and lifecycle.start, and the kai.yaml of v1.0.0, which runs, has no lifecycle.stop and no lifecycle.start.\n",
  );
  expect((await agent.kai("state", "list", "--json")).json().states).toMatchObject([
    { version: "1.1.0", consistent: false },
    { version: "1.0.0", consistent: true },
  ]);
});

test("a database that a killed writer left is captured with what waits in its log, in one go, and stays as it is", async () => {
  const agent = await agentWithVersions();
  const large = 20 * 2 ** 20;
  const database = path.join(agent.dir, "memory.sqlite");
  sql(database, `pragma journal_mode=wal; create table t (x); insert into t values (zeroblob(${large}));`);
  const writing = ["pragma wal_autocheckpoint=0", "insert into t values ('waits')", ".shell kill -9 $PPID"];
  expect((await agent.run("sqlite3", ["memory.sqlite", ...writing])).exit).toBe("SIGKILL");
  // State of more than one file, which is of one moment only where nothing was written.
  agent.write("state.json", "{}\n");
  const digests = () => ["memory.sqlite", "memory.sqlite-wal"].map((name) => digestOf(path.join(agent.dir, name)));
  const before = digests();
  const created = (await agent.kai("create", "--as", "1.0.0", "--json")).json();
  expect(created.state).toMatchObject({ files: ["memory.sqlite", "state.json"], consistent: true });
  expect(digests()).toEqual(before);
  agent.remove("memory.sqlite");
  expect((await agent.kai("rollback", "1.0.0", "--component", "state")).exit).toBe(0);
  expect(sql(database, "select x from t where typeof(x) = 'text'")).toBe("waits");
});

test("state that git tracks is no state, and create says so with the way out", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.git("add", "--force", "state.json");
  agent.commit("fix: track the state");
  const ran = await agent.kai("create");
  expect(ran.exit).toBe(0);
  expect(ran.stderr).toContain("state.json: state by kai.yaml, but git tracks it");
  expect(ran.stderr).toContain("`git rm --cached state.json`");
});
