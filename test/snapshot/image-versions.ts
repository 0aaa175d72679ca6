import { expect } from "vitest";
import { AGENT_ID, type SnapshotAgent } from "./snapshot-agent.js";

/** Keeps what it was asked and what it was to install, and a number that no second run has. */
export const PIP = 'echo "$@" > /etc/asked; cp -r . /etc/given; od -An -tx1 -N8 /dev/urandom > /etc/made';

export const NAME = `localhost/kai-agent-${AGENT_ID}`;

/** Makes a version of these files. */
export async function version(
  agent: SnapshotAgent,
  number: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, text] of Object.entries(files)) agent.write(name, text);
  agent.commit(`feat: what ${number} brings`);
  const created = await agent.kai("create", "--as", number);
  expect(created.exit, String(created)).toBe(0);
}

/** What a command printed that ran in this version. */
export const printed = async (agent: SnapshotAgent, number: string, ...command: string[]): Promise<string> =>
  (await agent.made("run", number, "--", ...command)).stdout;
