import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { type Place, placeAt } from "../scenarios/place.js";
import { NOTHING_LEFT, type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

/** The agent where a program is another one, which only fails. */
function withFailing(program: string, { dir, env }: SnapshotAgent): Place {
  const bin = path.join(path.dirname(dir), "bin");
  mkdirSync(bin);
  writeFileSync(path.join(bin, program), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  return placeAt(dir, { ...env, PATH: `${bin}:${env["PATH"]}` });
}

const networks = (env: NodeJS.ProcessEnv): string =>
  execFileSync("podman", ["network", "ls", "--quiet", "--filter", "label=kai.snapshot"], { env, encoding: "utf8" });

test("where a kernel of its own does not start, nothing runs under the host's instead", async () => {
  const agent = await snapshotAgent();
  const place = withFailing("krun", agent);
  const ran = await place.kai("snapshot", "run", "1.1.0", "--process", "vm", "--json", "--", "touch", "ran");
  expect(ran.json().error).toMatchObject({ code: "E103" });
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test("a bridge whose bandwidth cannot be limited is refused, and goes again", async () => {
  const agent = await snapshotAgent();
  const place = withFailing("tc", agent);
  const before = networks(agent.env);
  for (const args of [
    ["create", "1.1.0", "--network", "bridge", "--json"],
    ["run", "1.1.0", "--network", "bridge", "--json", "--", "true"],
  ]) {
    const refused = await place.kai("snapshot", ...args);
    expect(refused.json().error).toMatchObject({ code: "E103", message: expect.stringContaining("bandwidth") });
    expect([agent.left(), networks(agent.env)]).toEqual([NOTHING_LEFT, before]);
  }
});
