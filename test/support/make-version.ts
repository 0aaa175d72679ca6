import { expect } from "vitest";
import type { Agent } from "./agent.js";

/** Commits all that is not ignored and makes a version of it. */
export async function makeVersion(agent: Agent, version: string, message: string): Promise<void> {
  agent.commit(message);
  const ran = await agent.kai("create", "--as", version, "--allow-unchanged");
  expect(ran.exit, String(ran)).toBe(0);
}
