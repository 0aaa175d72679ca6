import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished } from "vitest";
import { type Agent, agentWithVersions, type Ran } from "../support/agent.js";

export interface SnapshotAgent extends Agent {
  readonly tempDir: string;
  /** `git kai-version snapshot …`. */
  snapshot(...args: string[]): Promise<Ran>;
  /** The same with `--json`, which must end well; gives the document. */
  // biome-ignore lint/suspicious/noExplicitAny: a test states the shape that it looks at
  made(...args: string[]): Promise<any>;
  /** The same, which must end with this error. */
  refused(...args: string[]): Promise<{ code: string; message: string; hint: string } & Record<string, unknown>>;
  /** What of snapshots is left on this machine: containers, folders, records. */
  left(): { containers: string[]; folders: string[]; records: string[] };
}

/** Images of its versions are named after it, on a machine that all tests share. */
export const AGENT_ID = `ai.example.clerk-${process.pid}`;

/** An agent whose version 1.1.0 is tried in sandboxes of its own folder; all of them are gone when the test ends. */
export async function snapshotAgent(
  isolation: Readonly<Record<string, unknown>> = {},
  files: Readonly<Record<string, string>> = {},
): Promise<SnapshotAgent> {
  const agent = await agentWithVersions("1.0.0");
  const tempDir = path.join(path.dirname(agent.dir), "snapshots");
  const limits = { storage: "32Mi", memory: "256Mi" };
  const settings = { temp_dir: tempDir, resource_limits: limits, ...isolation };
  agent.write("kai.yaml", JSON.stringify({ agent_id: AGENT_ID, snapshot_isolation: settings }));
  for (const [name, text] of Object.entries(files)) agent.write(name, text);
  agent.commit("feat: be tried");
  const created = await agent.kai("create", "--as", "1.1.0");
  expect(created.exit, String(created)).toBe(0);
  const snapshot = (...args: string[]) => agent.kai("snapshot", ...withJson(args, false));
  const records = path.join(agent.dir, ".git", "kai", "snapshots");
  onTestFinished(async () => {
    for (const { id } of (await agent.kai("snapshot", "list", "--json")).json().snapshots)
      await snapshot("destroy", id);
  });
  return {
    ...agent,
    tempDir,
    snapshot,
    async made(...args) {
      const ran = await agent.kai("snapshot", ...withJson(args, true));
      expect(ran.exit, String(ran)).toBe(0);
      return ran.json();
    },
    async refused(...args) {
      const ran = await agent.kai("snapshot", ...withJson(args, true));
      expect(ran.exit, String(ran)).not.toBe(0);
      return ran.json().error;
    },
    left: () => ({
      containers: containersOf(agent, records),
      folders: existsSync(tempDir) ? readdirSync(tempDir) : [],
      records: existsSync(records) ? readdirSync(records).filter((name) => name !== "lock") : [],
    }),
  };
}

/** Ahead of the command that a sandbox is to run. */
function withJson(args: readonly string[], json: boolean): string[] {
  const dashes = args.indexOf("--");
  return args.toSpliced(dashes < 0 ? args.length : dashes, 0, ...(json ? ["--json"] : []));
}

const containersOf = ({ env }: Agent, records: string): string[] =>
  execFileSync("podman", ["ps", "--all", "--filter", `label=kai.store=${records}`, "--format", "{{.Names}}"], {
    env,
    encoding: "utf8",
  })
    .split("\n")
    .filter(Boolean);

export const NOTHING_LEFT = { containers: [], folders: [], records: [] };
