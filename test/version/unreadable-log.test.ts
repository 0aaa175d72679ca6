import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { refused } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";

test("a log of which an old entry is missing is no log that is not there: refused, and nothing changed", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const before = agent.git("for-each-ref");
  const gone = agent.git("rev-parse", "refs/kai/log~1").trim();
  rmSync(path.join(agent.dir, ".git/objects", gone.slice(0, 2), gone.slice(2)));
  for (const args of [
    ["create", "--as", "2.0.0"],
    ["rollback", "1.0.0"],
    ["recover"],
    ["next"],
    ["list"],
    ["verify"],
  ]) {
    const ran = await agent.kai(...args);
    expect(ran.exit, String(ran)).not.toBe(0);
    expect(ran.stderr).toMatch(/^Error E121: The log cannot be trusted: it is damaged \(git log failed/);
  }
  expect(agent.git("for-each-ref")).toBe(before);
});

test("a log that is another one when its history is read than when it was verified is refused", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const before = agent.git("for-each-ref");
  const folder = path.join(agent.dir, ".git/programs");
  mkdirSync(folder);
  const wrapper = `#!/bin/sh
case " $* " in *" --format=%H %P%n%B refs/kai/log "*)
  for arg; do
    shift
    [ "$arg" != refs/kai/log ] || arg=refs/kai/log~1
    set -- "$@" "$arg"
  done
esac
PATH=\${PATH#*:} exec git "$@"
`;
  writeFileSync(path.join(folder, "git"), wrapper);
  chmodSync(path.join(folder, "git"), 0o755);
  const env = { ...agent.env, PATH: `${folder}:${agent.env["PATH"]}` };
  const program = path.resolve(import.meta.dirname, "../../bin/git-kai-version");
  const ran = await agent.run(process.execPath, [program, "create", "--as", "2.0.0"], env);
  expect(ran.exit, String(ran)).toBe(4);
  expect(ran.stderr).toMatch(/^Error E113: Another git process moved refs\/kai\/log/);
  expect(agent.git("for-each-ref")).toBe(before);
});

const literal = (agent: Agent, type: string): string =>
  agent.git("hash-object", "-t", type, "-w", "--literally", "/dev/null");

const NO_ENTRIES: readonly [string, (agent: Agent) => string][] = [
  ["a commit of an empty tree", ({ git }) => git("commit-tree", git("mktree"), "-m", "not ours")],
  ["a commit behind the newest entry", ({ git }) => git("commit-tree", "-p", "refs/kai/log", "-m", "x", "HEAD^{tree}")],
  ["a blob", (agent) => literal(agent, "blob")],
  ["a version's tag", ({ git }) => git("rev-parse", "v1.0.0")],
  ["a commit without a byte", (agent) => literal(agent, "commit")],
  ["an object that is not here", () => "1".repeat(40)],
];

test.each(NO_ENTRIES)("a log whose newest entry is %s: E121 from current and from verify", async (_, make) => {
  const agent = await agentWithVersions("1.0.0");
  agent.write(".git/refs/kai/log", `${make(agent)}\n`);
  expect(await refused(agent, "current")).toMatchObject({ code: "E121", exit: 1 });
  const verified = await agent.kai("verify", "--json");
  expect(verified.exit).toBe(1);
  const { error, log } = verified.json();
  expect(error ?? log.problems[0]).toMatchObject({ code: "E121" });
});
