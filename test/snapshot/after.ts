import { expect } from "vitest";
import type { SnapshotAgent } from "./snapshot-agent.js";

/** Runs a Python script in a snapshot of its own, and gives that. */
export async function after(agent: SnapshotAgent, script: readonly string[], ...options: string[]): Promise<string> {
  const { id } = await agent.made("create", "1.1.0", ...options);
  const ran = await agent.made("exec", id, "--", "/usr/bin/python3", "-c", script.join("\n"));
  expect(ran.stderr).toBe("");
  return id;
}
