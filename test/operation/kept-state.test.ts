import { execFileSync } from "node:child_process";
import { existsSync, linkSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { applyState } from "../../src/operation/apply-state.js";
import { listKeptState } from "../../src/operation/kept-state.js";
import { type StagedStateFile, writeStagedState } from "../../src/operation/staged-state.js";
import { lookAtState, type SeenState } from "../../src/operation/state-look.js";
import { told } from "../scenarios/place.js";
import { scratch } from "../support/scratch.js";
import { agentWithMemory, stateOf } from "./live-agent.js";
import { leftovers } from "./observe.js";
import { COMMIT_POINT, runTraced } from "./run-traced.js";

const sql = (file: string, ...words: string[]) =>
  execFileSync("sqlite3", [file, ...words], { encoding: "utf8" }).trim();

/** State that was saved, and other state that was to replace it when the operation was killed. */
async function killed() {
  const { dir, env } = scratch();
  const [folder, kept] = [path.join(dir, ".staged"), path.join(dir, ".kept/operation")];
  mkdirSync(path.join(folder, "state"), { recursive: true });
  const at = (name: string) => path.join(dir, name);
  const staged = (number: number) => path.join(folder, "state", String(number));
  const names = ["state.json", "memory.sqlite", "later.json"];
  for (const name of ["state.json", "later.json"]) writeFileSync(at(name), `saved ${name}`);
  sql(at("memory.sqlite"), "create table seen (what); insert into seen values ('saved')");
  writeFileSync(staged(0), "captured");
  sql(staged(1), "create table seen (what); insert into seen values ('captured')");
  const seen: SeenState = await Promise.all(
    names.map(async (name) => [name, await lookAtState(Buffer.from(at(name)))] as const),
  );
  const files: StagedStateFile[] = [
    { path: "state.json", executable: false, kind: "file" },
    { path: "memory.sqlite", executable: false, kind: "sqlite" },
  ];
  await writeStagedState(folder, { files, removed: ["later.json"], seen });
  return {
    at,
    staged,
    kept,
    recover: () => applyState({ folder, gitDir: "", workTree: dir }, env, [], kept),
    told: () => listKeptState(kept).map(({ path: name }) => name),
    now: () => [readFileSync(at("state.json"), "utf8"), sql(at("memory.sqlite"), "select what from seen")],
  };
}

test("what was saved before is replaced, and kept no second time, by whatever names it has", async () => {
  const { at, kept, recover, now } = await killed();
  linkSync(at("state.json"), at("other name"));
  expect(await recover()).toEqual([]);
  expect(now()).toEqual(["captured", "captured"]);
  expect([existsSync(at("later.json")), existsSync(kept)]).toEqual([false, false]);
});

test("what was written since is kept before it is replaced or removed, a database with the log beside it", async () => {
  const { at, kept, recover, told, now } = await killed();
  writeFileSync(at("state.json"), "written");
  writeFileSync(at("later.json"), "written, too");
  try {
    const insert = "insert into seen values ('written')";
    sql(at("memory.sqlite"), "pragma journal_mode=wal; pragma wal_autocheckpoint=0", insert, ".shell kill -9 $PPID");
  } catch {
    // It was killed, as it was to be.
  }
  expect(existsSync(at("memory.sqlite-wal"))).toBe(true);
  expect(await recover()).toEqual([]);
  expect([now(), existsSync(at("later.json"))]).toEqual([["captured", "captured"], false]);
  expect(told()).toEqual(["later.json", "memory.sqlite", "state.json"]);
  expect(readFileSync(path.join(kept, "state/state.json"), "utf8")).toBe("written");
  expect(readFileSync(path.join(kept, "state/later.json"), "utf8")).toBe("written, too");
  expect(sql(path.join(kept, "state/memory.sqlite"), "select what from seen")).toBe("saved\nwritten");
});

test("what is in place already is no new writing; what came to it since is", async () => {
  const first = await killed();
  writeFileSync(first.at("state.json"), "captured");
  sql(first.at("memory.sqlite"), `.restore ${first.staged(1)}`);
  await first.recover();
  expect([first.now(), first.told()]).toEqual([["captured", "captured"], []]);
  const second = await killed();
  sql(second.at("memory.sqlite"), `.restore ${second.staged(1)}`, "insert into seen values ('written')");
  await second.recover();
  expect([second.now(), second.told()]).toEqual([["captured", "captured"], ["memory.sqlite"]]);
});

test("a database that became something else is kept as the bytes that it is, with what lies beside it", async () => {
  const { at, kept, recover, told, now } = await killed();
  writeFileSync(at("memory.sqlite"), "no database");
  writeFileSync(at("memory.sqlite-wal"), "a log");
  await recover();
  expect([now(), told()]).toEqual([
    ["captured", "captured"],
    ["memory.sqlite", "memory.sqlite-wal"],
  ]);
  expect(readFileSync(path.join(kept, "state/memory.sqlite-wal"), "utf8")).toBe("a log");
});

test("a recovery that was killed itself keeps nothing twice, and also what was written after it", async () => {
  const { at, kept, recover, told } = await killed();
  mkdirSync(path.join(kept, "state"), { recursive: true });
  writeFileSync(at("state.json"), "first");
  writeFileSync(path.join(kept, "state/state.json"), "first");
  writeFileSync(at("later.json"), "second");
  writeFileSync(path.join(kept, "state/later.json"), "first");
  writeFileSync(path.join(kept, "state/memory.sqlite.kai-moved"), "cut sh");
  await recover();
  expect(told()).toEqual(["later.json", "state.json", "later.json"]);
  expect(readFileSync(path.join(kept, "state-2/later.json"), "utf8")).toBe("second");
});

test("what an agent writes between a crash and `recover` is kept, and told by the command that recovers", async () => {
  const agent = await agentWithMemory();
  await runTraced(agent, ["rollback", "1.0.0"], { match: COMMIT_POINT, after: 1, blow: "all" });
  agent.write("state.json", '{"seen": "PRECIOUS"}\n');
  sql(path.join(agent.dir, "memory.sqlite"), "insert into seen values ('precious row')");
  const ran = await agent.kai("rollback", "1.1.0", "--dry-run");
  expect(ran.stderr).toMatch(/state\.json was written meanwhile: that is kept in .*\/state\/state\.json/);
  expect(stateOf(agent)).toEqual({ file: '{"seen": "1.0.0"}\n', rows: "1.0.0 ok" });
  const { operations } = await told(agent, "log", "--kind", "rollback");
  const folder = path.join(agent.dir, ".git/kai/replaced", operations[0].id, "state");
  expect(readFileSync(path.join(folder, "state.json"), "utf8")).toBe('{"seen": "PRECIOUS"}\n');
  expect(sql(path.join(folder, "memory.sqlite"), "select what from seen")).toBe("live\nprecious row");
  expect(leftovers(agent)).toEqual([]);
});

test("`recover` tells where it is kept; where nobody wrote anything nothing is", async () => {
  const agent = await agentWithMemory();
  const strike = { match: COMMIT_POINT, after: 1, blow: "all" } as const;
  await runTraced(agent, ["rollback", "1.0.0"], strike);
  expect((await told(agent, "recover")).recovered).toMatchObject([{ kind: "rollback", replaced: [] }]);
  await runTraced(agent, ["undo"], strike);
  agent.write("state.json", "PRECIOUS");
  const ran = await agent.kai("recover");
  expect(ran.stdout).toContain(
    "had happened, and is whole now\n  ! state.json was written meanwhile: that is kept in ",
  );
});
