#!/usr/bin/env node
// node test-repos/build.mjs NAME DEST [STEP...]: makes a repository of an agent, and lays the steps over it.
import { applyStep, buildAgent, listAgents } from "./build-agent.mjs";

const [name, dest, ...steps] = process.argv.slice(2);
if (!name || !dest) {
  process.stdout.write("Usage: node test-repos/build.mjs NAME DEST [STEP...]\n");
  for (const agent of listAgents()) {
    const known = agent.steps.length > 0 ? ` (steps: ${agent.steps.join(", ")})` : "";
    process.stdout.write(`  ${agent.name}  ${agent.summary}${known}\n`);
  }
  process.exit(2);
}
try {
  let head = await buildAgent(name, dest, { env: process.env });
  for (const step of steps) head = await applyStep(name, step, dest, { env: process.env });
  process.stdout.write(`${head}\n`);
} catch (error) {
  process.stderr.write(`build.mjs: ${error.message}\n`);
  process.exit(1);
}
