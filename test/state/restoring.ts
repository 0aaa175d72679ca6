import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect } from "vitest";
import { type Agent, agentWithVersions } from "../support/agent.js";

const sql = (file: string, ...words: string[]) =>
  execFileSync("sqlite3", [file, ...words], { encoding: "utf8" }).trim();

/** An agent whose live state is another than that of its version: a file, a new one, and a database killed with its log hot. */
export async function agentWithState(): Promise<Agent> {
  const agent = await agentWithVersions();
  agent.write(
    "kai.yaml",
    agent.git("show", "HEAD:kai.yaml").replace("memory.sqlite", "memory.sqlite, lost.sqlite, notes/"),
  );
  agent.write(".gitignore", "state.json\nmemory.sqlite*\nlost.sqlite*\nnotes/\n");
  agent.commit("feat: more state");
  const memory = path.join(agent.dir, "memory.sqlite");
  sql(
    memory,
    "pragma journal_mode=wal; create table seen (what); insert into seen select 'captured' from generate_series(1, 400);",
  );
  sql(path.join(agent.dir, "lost.sqlite"), "create table seen (what); insert into seen values ('captured');");
  agent.write("state.json", "captured\n");
  agent.write("notes/old/note", "captured\n");
  expect((await agent.kai("create", "--as", "1.0.0")).exit).toBe(0);
  const live = "pragma wal_autocheckpoint=0; update seen set what = 'live'; .shell kill -9 $PPID";
  try {
    execFileSync("sqlite3", [memory, ...live.split(/; (?=\.)/)], { stdio: "ignore" });
  } catch {
    // Killed, as it was to be.
  }
  expect(existsSync(`${memory}-wal`)).toBe(true);
  rmSync(path.join(agent.dir, "lost.sqlite"));
  rmSync(path.join(agent.dir, "notes/old"), { recursive: true });
  agent.write("state.json", "live\n");
  agent.write("notes/new", "live\n");
  return agent;
}

/** Which state it is: `captured`, `live`, or what is mixed. */
export function stateOf(agent: Agent): string {
  const at = (name: string) => path.join(agent.dir, name);
  const text = (name: string) => (existsSync(at(name)) ? readFileSync(at(name), "utf8").trim() : "none");
  const rows = (name: string) =>
    existsSync(at(name))
      ? sql(at(name), "select distinct what from seen; pragma integrity_check").replace("\nok", "")
      : "none";
  const seen = [
    text("state.json"),
    rows("memory.sqlite"),
    rows("lost.sqlite"),
    text("notes/old/note"),
    text("notes/new"),
  ];
  if (seen.join() === "captured,captured,captured,captured,none") return "captured";
  return seen.join() === "live,live,none,none,live" ? "live" : seen.join();
}

/** Bundles the program that restores the state of 1.0.0; it lies beside the agent. */
export async function buildDriver(agent: Agent): Promise<string> {
  const driver = path.join(path.dirname(agent.dir), "driver.mjs");
  const require = "const require = driverRequire(import.meta.url);";
  await build({
    entryPoints: [fileURLToPath(new URL("restore-driver.ts", import.meta.url))],
    outfile: driver,
    bundle: true,
    format: "esm",
    platform: "node",
    banner: { js: `import { createRequire as driverRequire } from "node:module"; ${require}` },
  });
  return driver;
}
