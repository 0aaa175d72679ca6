import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { observe, observeButLog } from "../operation/observe.js";
import { refused, told } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";

const sql = (agent: Agent, text: string) =>
  execFileSync("sqlite3", [path.join(agent.dir, "memory.sqlite"), text], { encoding: "utf8" }).trim();

/** Two versions, each captured with a database that says its number. */
async function agentWithMemory(): Promise<Agent> {
  const agent = await agentWithVersions();
  agent.write(".gitignore", "state.json\nmemory.sqlite*\n");
  agent.write("state.json", "{}\n");
  for (const version of ["1.0.0", "1.1.0"]) {
    agent.write("logic.py", `print("${version}")\n`);
    agent.commit(`feat: ${version}`);
    sql(agent, `create table if not exists seen (what); insert into seen values ('${version}');`);
    await told(agent, "create", "--as", version);
  }
  return agent;
}

/** The database and what lies beside it, to the byte. */
const bytesOf = ({ dir }: Agent): Record<string, string> =>
  Object.fromEntries(
    readdirSync(dir)
      .filter((name) => name.startsWith("memory.sqlite") && !name.endsWith("-shm"))
      .map((name) => [name, readFileSync(path.join(dir, name)).toString("hex")]),
  );

/** Ways in which a database breaks, and what is said of it. */
const BROKEN: Readonly<Record<string, { readonly why: string; readonly breakIt: (file: string) => void }>> = {
  "a header and garbage": {
    why: "file is not a database",
    breakIt: (file) => writeFileSync(file, `SQLite format 3\0${"garbage".repeat(999)}`),
  },
  "cut off in its first page, beside a log": {
    why: "database disk image is malformed",
    breakIt: (file) => {
      truncateSync(file, 2000);
      writeFileSync(`${file}-wal`, "what was written last");
    },
  },
  "cut off in its last page": { why: "it is cut short", breakIt: (file) => truncateSync(file, 5000) },
  "less than a page": { why: "it is cut short", breakIt: (file) => truncateSync(file, 100) },
  "no database at all, beside a journal": {
    why: "it is no database",
    breakIt: (file) => {
      writeFileSync(file, "garbage\n".repeat(999));
      writeFileSync(`${file}-journal`, "half a transaction");
    },
  },
};

/** What a result says of the database's backup. */
const remarksOf = (result: { steps: { type: string; remarks: string[] }[] }) =>
  result.steps.find(({ type }) => type === "backup_current")?.remarks;

test.for(Object.keys(BROKEN))(
  "a rollback leads away from a broken database, and undo brings its bytes back: %s",
  async (kind) => {
    const agent = await agentWithMemory();
    const { why, breakIt } = BROKEN[kind] as (typeof BROKEN)[string];
    breakIt(path.join(agent.dir, "memory.sqlite"));
    const before = bytesOf(agent);
    const remark = `memory.sqlite: saved as bytes, SQLite could not read it (${why})`;
    for (const [way, seen] of [
      [["1.0.0"], "1.0.0"],
      [["1.0.0", "--type", "emergency"], "1.0.0"],
      [["current", "--component", "state"], "1.0.0\n1.1.0"],
    ] as const) {
      const back = await told(agent, "rollback", ...way);
      expect(remarksOf(back), way.join(" ")).toEqual([remark]);
      expect(Object.keys(bytesOf(agent))).toEqual(["memory.sqlite"]);
      expect(sql(agent, "select what from seen; pragma integrity_check")).toBe(`${seen}\nok`);
      await told(agent, "undo");
      expect(bytesOf(agent), way.join(" ")).toEqual(before);
    }
    const text = await agent.kai("rollback", "1.0.0");
    expect(text.stdout).toContain(remark);
    const operation = (await told(agent, "log", "--limit", "1")).operations[0].id;
    await told(agent, "rollback", operation, "--type", "snapshot");
    expect(bytesOf(agent)).toEqual(before);
  },
);

test("create refuses a database that SQLite cannot read, names it and the way out, which works", async () => {
  const agent = await agentWithMemory();
  agent.write("memory.sqlite", `SQLite format 3\0${"garbage".repeat(999)}`);
  const before = observe(agent);
  expect(await agent.kai("create", "--allow-unchanged")).toMatchInlineSnapshot(`
    Error E123: The database memory.sqlite cannot be captured: SQLite cannot read it (file is not a database).
    Hint: Nothing was changed. \`git kai-version rollback current --component state\` saves its bytes and puts the state that was captured with the version in force in its place; \`state list\` shows which versions have some. \`artifacts.state.exclude\` leaves a file out that is no state.
    [exit 1]
  `);
  expect(observe(agent)).toEqual(before);
  await told(agent, "rollback", "current", "--component", "state");
  expect(await told(agent, "create", "--allow-unchanged")).toMatchObject({ version: "1.1.1" });
});

test.each([
  ["its beginning is overwritten", (bytes: Buffer) => bytes.fill(0, 0, 100)],
  ["it is emptied", () => Buffer.alloc(0)],
])("create refuses what was a database when it was captured last, and is none: %s", async (_, broken) => {
  const agent = await agentWithMemory();
  const file = path.join(agent.dir, "memory.sqlite");
  writeFileSync(file, broken(readFileSync(file)));
  const before = observe(agent);
  expect(await refused(agent, "create", "--allow-unchanged")).toMatchObject({
    code: "E123",
    message: "No SQLite database any more, and captured as one with v1.1.0: memory.sqlite.",
  });
  expect(observe(agent)).toEqual(before);
  await told(agent, "rollback", "current", "--component", "state");
  expect(await told(agent, "create", "--allow-unchanged")).toMatchObject({ version: "1.1.1" });
  // Meant to be a plain file: once it was away it may be one.
  rmSync(file);
  await told(agent, "create", "--allow-unchanged");
  writeFileSync(file, "plain\n");
  expect(await told(agent, "create", "--allow-unchanged")).toMatchObject({ version: "1.1.3" });
});

test("a rehearsal goes through with a broken database, as the rollback does", async () => {
  const agent = await agentWithMemory();
  agent.write("memory.sqlite", `SQLite format 3\0${"garbage".repeat(999)}`);
  const before = observe(agent);
  expect(await told(agent, "rollback", "1.0.0", "--rehearse")).toMatchObject({ ok: true, problem: null });
  expect(observe(agent)).toEqual(before);
});

test("a folder where SQLite would keep its log refuses a rollback before anything is changed", async () => {
  const agent = await agentWithMemory();
  mkdirSync(path.join(agent.dir, "memory.sqlite-wal"));
  const before = observeButLog(agent);
  expect(await refused(agent, "rollback", "1.0.0")).toMatchObject({
    code: "E102",
    message: expect.stringContaining("memory.sqlite"),
  });
  expect(observeButLog(agent)).toEqual(before);
});

test("a lifecycle.migrate that leaves a broken database changes nothing", async () => {
  const agent = await agentWithMemory();
  const configuration = agent.git("show", "HEAD:kai.yaml");
  agent.write(
    "kai.yaml",
    `${configuration}\nlifecycle: {migrate: {run: "printf 'SQLite format 3\\\\0' > memory.sqlite"}}\n`,
  );
  agent.commit("feat: convert");
  await told(agent, "create", "--as", "1.2.0");
  const before = observeButLog(agent);
  const error = await refused(agent, "rollback", "1.0.0", "--keep-state");
  expect(error).toMatchObject({
    code: "E126",
    message: expect.stringContaining("memory.sqlite, which SQLite cannot read"),
  });
  expect(observeButLog(agent)).toEqual(before);
});
