import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { agentWithVersions } from "../support/agent.js";

test("a log of which an old entry is missing is no log that is not there: refused, and nothing changed", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const before = agent.git("for-each-ref");
  const gone = agent.git("rev-parse", "refs/kai/log~1").trim();
  rmSync(path.join(agent.dir, ".git/objects", gone.slice(0, 2), gone.slice(2)));
  for (const args of [["create", "--as", "2.0.0"], ["rollback", "1.0.0"], ["recover"], ["next"], ["list"]]) {
    const ran = await agent.kai(...args);
    expect(ran.exit, String(ran)).not.toBe(0);
    expect(ran.stderr).toMatch(/^Error E116: git log failed/);
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
