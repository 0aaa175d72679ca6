import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { applyState } from "../../src/operation/apply-state.js";
import { type StagedStateFile, writeStagedState } from "../../src/operation/staged-state.js";
import { scratch } from "../support/scratch.js";

const sql = (file: string, ...words: string[]) =>
  execFileSync("sqlite3", [file, ...words], { encoding: "utf8" }).trim();

/** A database file without what its header says of how it is and was written: journal, counters, schema cookie. */
function pagesOf(file: string): Buffer {
  const bytes = readFileSync(file);
  for (const [from, to] of [
    [18, 20],
    [24, 28],
    [40, 44],
    [92, 100],
  ] as const)
    bytes.fill(0, from, to);
  return bytes;
}

async function staging() {
  const { dir, env } = scratch();
  const folder = path.join(dir, ".staged");
  mkdirSync(path.join(folder, "state"), { recursive: true });
  const files: StagedStateFile[] = [];
  const at = (name: string) => path.join(dir, name);
  return {
    dir,
    env,
    folder,
    at,
    /** Stages what is in a file of that name outside the working tree. */
    stage(name: string, content: string | Buffer, more: Partial<StagedStateFile> = {}) {
      const from = path.join(folder, "state", String(files.length));
      writeFileSync(from, content, { mode: more.executable ? 0o755 : 0o644 });
      files.push({ path: name, executable: false, kind: "file", ...more });
      return from;
    },
    async apply(...removed: string[]) {
      if (!existsSync(path.join(folder, "state.json"))) await writeStagedState(folder, { files, removed, seen: [] });
      return applyState({ folder, gitDir: "", workTree: dir }, env, []);
    },
    read: (name: string) => readFileSync(at(name), "utf8"),
  };
}

/** A program that has a database open and does what it is told. */
async function holding(file: string, env: NodeJS.ProcessEnv, ...commands: string[]) {
  const holder = spawn("sqlite3", [file], { env });
  onTestFinished(() => {
    holder.kill("SIGKILL");
  });
  const say = async (...words: string[]) => {
    holder.stdin.write(`${words.join("\n")}\nselect 'done';\n`);
    let heard = "";
    while (!heard.includes("done\n")) heard += String((await once(holder.stdout, "data"))[0]);
    return heard.replace(/done\n$/, "").trim();
  };
  await say(...commands);
  const kill = async () => {
    const closed = once(holder, "close");
    holder.kill("SIGKILL");
    await closed;
  };
  return { say, kill };
}

test("files are placed byte for byte, folders made, permissions kept, and what the capture lacks is removed", async () => {
  const { dir, at, stage, apply, read } = await staging();
  writeFileSync(at("state.json"), "live", { mode: 0o600 });
  writeFileSync(at("later.json"), "made later");
  stage("state.json", "captured");
  stage("deep/down/\xff", Buffer.from([0, 13, 10, 255]), { executable: true });
  expect(await apply("later.json")).toEqual([]);
  expect([read("state.json"), statSync(at("state.json")).mode & 0o777]).toEqual(["captured", 0o600]);
  const odd = Buffer.concat([Buffer.from(`${dir}/deep/down/`), Buffer.from([255])]);
  expect([...readFileSync(odd)]).toEqual([0, 13, 10, 255]);
  expect(statSync(odd).mode & 0o111).not.toBe(0);
  expect(existsSync(at("later.json"))).toBe(false);
});

test("once all is in place the state is the agent's: what it wrote since stays when recovery comes again", async () => {
  const { at, stage, apply, read } = await staging();
  stage("state.json", "captured");
  stage("memory.sqlite", "not asked for");
  await apply("later.json");
  for (const name of ["state.json", "later.json"]) writeFileSync(at(name), "written since");
  expect(await apply("later.json")).toEqual([]);
  expect([read("state.json"), read("later.json")]).toEqual(["written since", "written since"]);
});

test("a database goes into the one that is open, over its write-ahead log; whoever has it open sees it", async () => {
  const { env, at, stage, apply } = await staging();
  sql(at("captured"), "create table seen (what); insert into seen values ('captured'); create index i on seen (what);");
  const holder = await holding(
    at("memory.sqlite"),
    env,
    "pragma journal_mode=wal; pragma wal_autocheckpoint=0;",
    "create table seen (what); insert into seen values ('live'); create table other (x);",
  );
  expect(statSync(at("memory.sqlite-wal")).size).toBeGreaterThan(0);
  stage("memory.sqlite", readFileSync(at("captured")), { kind: "sqlite" });
  expect(await apply()).toEqual([]);
  expect(await holder.say("select what from seen; insert into seen values ('after');")).toBe("captured");
  await holder.kill();
  expect(sql(at("memory.sqlite"), "delete from seen where what = 'after'; pragma integrity_check")).toBe("ok");
  expect(sql(at("memory.sqlite"), ".dump")).toBe(sql(at("captured"), ".dump"));
});

test("over the write-ahead log of an agent that was killed: the same dump, and the same pages", async () => {
  const { env, at, stage, apply } = await staging();
  sql(
    at("captured"),
    "pragma journal_mode=wal; create table seen (what); insert into seen select randomblob(900) from generate_series(1, 200);",
  );
  const holder = await holding(
    at("memory.sqlite"),
    env,
    "pragma journal_mode=wal; pragma wal_autocheckpoint=0;",
    "create table seen (what); insert into seen select randomblob(3000) from generate_series(1, 300);",
  );
  await holder.kill();
  expect(existsSync(at("memory.sqlite-wal"))).toBe(true);
  stage("memory.sqlite", readFileSync(at("captured")), { kind: "sqlite" });
  expect(await apply()).toEqual([]);
  expect(pagesOf(at("memory.sqlite")).equals(pagesOf(at("captured")))).toBe(true);
  expect(sql(at("memory.sqlite"), ".dump")).toBe(sql(at("captured"), ".dump"));
  expect(sql(at("memory.sqlite"), "pragma journal_mode; pragma integrity_check")).toBe("wal\nok");
});

test.each(["closed", "open"])("another page size under a write-ahead log, the database %s", async (how) => {
  const { env, at, stage, apply } = await staging();
  sql(at("captured"), "pragma page_size=16384; create table seen (what); insert into seen values ('captured');");
  const holder = await holding(at("memory.sqlite"), env, "pragma journal_mode=wal; create table seen (what);");
  if (how === "closed") await holder.kill();
  stage("memory.sqlite", readFileSync(at("captured")), { kind: "sqlite" });
  expect(await apply()).toEqual([]);
  if (how === "open") expect(await holder.say("select what from seen;")).toBe("captured");
  else expect(pagesOf(at("memory.sqlite")).equals(pagesOf(at("captured")))).toBe(true);
  expect(sql(at("memory.sqlite"), ".dump")).toBe(sql(at("captured"), ".dump"));
});

test("a database that is missing is placed, and what another one left beside it never becomes part of it", async () => {
  const { env, at, stage, apply } = await staging();
  sql(at("captured"), "pragma journal_mode=wal; create table seen (what); insert into seen values ('captured');");
  const holder = await holding(
    at("memory.sqlite"),
    env,
    "pragma journal_mode=wal; pragma wal_autocheckpoint=0; create table seen (what); insert into seen values ('old');",
  );
  await holder.kill();
  rmSync(at("memory.sqlite"));
  stage("memory.sqlite", readFileSync(at("captured")), { kind: "sqlite" });
  expect(await apply()).toEqual([]);
  expect(readFileSync(at("memory.sqlite")).equals(readFileSync(at("captured")))).toBe(true);
  expect(sql(at("memory.sqlite"), "select what from seen; pragma integrity_check")).toBe("captured\nok");
});

test.each([
  ["nothing", Buffer.alloc(0)],
  ["text", Buffer.from("oops\n")],
  ["a damaged header", Buffer.concat([Buffer.from("SQLite format 3\0"), Buffer.alloc(9000, 7)])],
])("where the database became %s, it is whole again", async (_, content) => {
  const { at, stage, apply } = await staging();
  sql(at("captured"), "create table seen (what); insert into seen values ('captured');");
  writeFileSync(at("memory.sqlite"), content);
  stage("memory.sqlite", readFileSync(at("captured")), { kind: "sqlite" });
  expect(await apply()).toEqual([]);
  expect(sql(at("memory.sqlite"), ".dump")).toBe(sql(at("captured"), ".dump"));
});

test("a database is removed with all that SQLite keeps beside it; one that somebody has open stays, and is told", async () => {
  const { env, at, apply } = await staging();
  const holder = await holding(at("memory.sqlite"), env, "pragma journal_mode=wal; create table seen (what);");
  expect(await apply("memory.sqlite")).toEqual(["memory.sqlite"]);
  expect(existsSync(at("memory.sqlite-wal"))).toBe(true);
  const other = await staging();
  const second = await holding(
    other.at("memory.sqlite"),
    other.env,
    "pragma journal_mode=wal; create table seen (what);",
  );
  await Promise.all([holder.kill(), second.kill()]);
  expect(await other.apply("memory.sqlite")).toEqual([]);
  expect(readdirSync(other.dir)).toEqual([".staged"]);
});

test.each(["file", "sqlite"] as const)("cut short while a new %s has both of its names, it goes on", async (kind) => {
  const { at, stage, apply } = await staging();
  sql(at("captured"), "create table seen (what);");
  linkSync(stage("memory.sqlite", readFileSync(at("captured")), { kind }), at("memory.sqlite"));
  expect(await apply()).toEqual([]);
  expect(readFileSync(at("memory.sqlite")).equals(readFileSync(at("captured")))).toBe(true);
});

test("a link in the way is never followed, a folder is never replaced: both are told, the rest is placed", async () => {
  const { dir, at, stage, apply, read } = await staging();
  const outside = path.join(dir, "../outside");
  mkdirSync(outside);
  sql(path.join(outside, "db"), "create table theirs (x);");
  writeFileSync(path.join(outside, "a"), "theirs");
  const before = readFileSync(path.join(outside, "db"));
  symlinkSync(outside, at("linked"));
  symlinkSync(path.join(outside, "db"), at("memory.sqlite"));
  symlinkSync("../outside/a", at("state.json"));
  mkdirSync(at("folder"));
  sql(at("captured"), "create table mine (x);");
  const database = readFileSync(at("captured"));
  stage("linked/db", database, { kind: "sqlite" });
  stage("linked/new/file", "x");
  stage("memory.sqlite", database, { kind: "sqlite" });
  stage("state.json", "x");
  stage("folder", "x");
  stage("fine", "x");
  const told = ["linked/a", "linked/db", "linked/new/file", "memory.sqlite", "state.json", "folder"];
  expect(await apply("linked/a")).toEqual(told);
  expect(await apply("linked/a")).toEqual(told);
  expect(readdirSync(outside).sort()).toEqual(["a", "db"]);
  expect(readFileSync(path.join(outside, "db")).equals(before)).toBe(true);
  expect(readlinkSync(at("state.json"))).toBe("../outside/a");
  expect([read("fine"), lstatSync(at("folder")).isDirectory()]).toEqual(["x", true]);
});

test("where sqlite3 cannot be run nothing is copied over the database, and the next recovery restores it", async () => {
  const { env, at, stage, apply } = await staging();
  sql(at("captured"), "create table seen (what); insert into seen values ('captured');");
  sql(at("memory.sqlite"), "create table seen (what); insert into seen values ('live');");
  stage("memory.sqlite", readFileSync(at("captured")), { kind: "sqlite" });
  const { PATH } = env;
  env["PATH"] = "/nowhere";
  await expect(apply()).rejects.toMatchObject({ code: "E117" });
  expect(sql(at("memory.sqlite"), "select what from seen")).toBe("live");
  env["PATH"] = PATH;
  expect(await apply()).toEqual([]);
  expect(sql(at("memory.sqlite"), "select what from seen")).toBe("captured");
});
