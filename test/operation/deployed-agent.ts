import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";
import { expect } from "vitest";
import { endMarked, listMarked } from "../../src/system/marked-processes.js";
import { agentMark } from "../../src/version/lifecycle-commands.js";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { makeVersion } from "../support/make-version.js";
import type { Scenario } from "./judge.js";
import { entryAt, hasGitFile } from "./observe.js";

const PID = '"$KAI_DEPLOYMENT/../../pid-$KAI_VERSION"';

const LIFECYCLE = {
  start: { run: `echo $$ > ${PID}; exec sleep 1000` },
  health: { run: `kill -0 $(cat ${PID})`, timeout: "5s", retries: 20 },
  stop: { run: `kill $(cat ${PID})`, timeout: "10s" },
};

const CONFIG = `agent_id: ai.example.clerk
version_management: {artifacts: {state: {include: [state.json]}}}
deploy: {root: deployments, keep: 2}
lifecycle: ${JSON.stringify(LIFECYCLE)}
`;

/**
 * `deployed` were deployed one after the other, and the agent of the last one runs. The command leads to the version `to`, null
 * for none: then `current` leads there, and its agent runs, and no other.
 */
export async function deployedScenario(
  name: string,
  args: readonly string[],
  { deployed, to }: { readonly deployed: readonly string[]; readonly to: string | null },
): Promise<Scenario> {
  const agent = await agentWithVersions();
  agent.write(".gitignore", "state.json\nmemory.sqlite\ndeployments\n");
  agent.write("kai.yaml", CONFIG);
  for (const version of ["1.0.0", "1.1.0"]) {
    agent.write("logic.py", `print("${version}")\n`);
    agent.write("state.json", `{"seen": "${version}"}\n`);
    await makeVersion(agent, version, `feat: ${version}`);
  }
  const from = deployed.at(-1) ?? null;
  return {
    name,
    agent,
    args,
    live: {
      // In each copy, because the log says where it is.
      async start(copy) {
        for (const version of deployed) expect((await copy.kai("deploy", version)).exit).toBe(0);
      },
      end: async (copy) => {
        for (const version of ["1.0.0", "1.1.0"]) await endMarked(markOf(copy, version), 0);
      },
    },
    own: { folder: "deployments/", problems: (struck, side) => problemsOf(struck, side === "before" ? from : to) },
  };
}

const markOf = (agent: Agent, version: string): string =>
  hasGitFile(agent, "refs/kai/log")
    ? agentMark(entryAt(agent, "refs/kai/log").repo, path.join(agent.dir, `deployments/versions/v${version}`))
    : "";

/** What is not as it is to be where this version is deployed and runs. */
/** Whoever is killed leaves the lock, unlocked, to the next one who takes it. */
export const IN_A_ROOT: readonly string[] = [".kai-lock", "agent.log", "current", "rollback.log", "versions"];

async function problemsOf(agent: Agent, deployed: string | null): Promise<string[]> {
  const root = path.join(agent.dir, "deployments");
  const problems: string[] = [];
  const link = readdirSync(root).includes("current") ? readlinkSync(path.join(root, "current")) : null;
  if (link !== (deployed && `versions/v${deployed}`)) problems.push(`current leads to ${link}`);
  for (const version of ["1.0.0", "1.1.0"]) {
    const running = (await listMarked(markOf(agent, version))).length;
    if (running !== (version === deployed ? 1 : 0)) problems.push(`${running} processes of ${version} run`);
  }
  const told = readFileSync(path.join(root, "rollback.log"), "utf8").trimEnd().split("\n");
  if (JSON.parse(told.at(-1) ?? "").to !== deployed) problems.push(`told ${told.join("; ")}`);
  const others = readdirSync(root).filter((name) => !IN_A_ROOT.includes(name));
  if (others.length > 0) problems.push(`left in the root: ${others.join(", ")}`);
  return problems;
}
