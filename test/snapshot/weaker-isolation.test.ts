import { expect, test } from "vitest";
import { parseAgentConfig } from "../../src/agent/parse-agent-config.js";
import { whyWeaker } from "../../src/snapshot/gate/weaker-isolation.js";
import { isolationOf, parseRunIsolation } from "../../src/snapshot/runs/run-isolation.js";
import { planSettings, type SnapshotOptions } from "../../src/snapshot/snapshot-settings.js";

const isolationWith = (isolation: object, options: SnapshotOptions = {}) => {
  const text = JSON.stringify({ agent_id: "ai.example.a", snapshot_isolation: isolation });
  return isolationOf(planSettings(parseAgentConfig(text, "kai.yaml").snapshot_isolation, options));
};

/** Why a run with these options proves less than a version asks for that says this. */
const why = (isolation: object, options: SnapshotOptions) =>
  whyWeaker(isolationWith(isolation, options), isolationWith(isolation));

const ISOLATED = { network: { mode: "isolated", allowed_hosts: ["a.example"] } };
const BRIDGE = { network: { mode: "bridge" } };
const INTERNET = { network: { mode: "bridge", allow_internet: true } };
const SECRETS = { secrets: { KEY: "env:KEY" } };

test("what options make weaker, or other than the version says, is found", () => {
  expect(why({}, { process: "none" })).toBe("its process isolation was none");
  expect(why({ default_isolation: "vm" }, { process: "container" })).toBe("its process isolation was container");
  expect(why({ default_isolation: "none" }, {})).toBe("its process isolation was none");
  expect(why({}, { level: "development" })).toBe("it shared the host's namespaces ipc, uts, cgroup");
  expect(why({}, { network: "bridge" })).toBe("its network mode was bridge");
  expect(why(ISOLATED, { network: "bridge" })).toBe("its network mode was bridge");
  expect(why({}, { network: "isolated", allowHosts: ["a.example"] })).toBe("it could reach a.example");
  expect(why(ISOLATED, { allowHosts: ["b.example"] })).toBe("it could reach b.example");
  expect(why(BRIDGE, { network: "isolated", allowHosts: ["b.example"] })).toBe("it could reach b.example");
  expect(whyWeaker(isolationWith(INTERNET), isolationWith(BRIDGE))).toBe("it could reach the internet");
  expect(why({}, { memory: "8Gi" })).toBe("its limit of memory was higher");
  expect(why({}, { cpus: "3" })).toBe("its limit of processors was higher");
  expect(why({}, { storage: "20Gi" })).toBe("its limit of storage was higher");
  expect(why({}, { pids: "513" })).toBe("its limit of processes was higher");
  expect(why({}, { bandwidth: "1Gbps" })).toBe("its limit of bandwidth was higher");
  expect(why({}, { timeout: "6m" })).toBe("its limit of time was higher");
  expect(why({}, { gpus: "1" })).toBe("it had more GPUs");
  expect(why({ resource_limits: { gpu: "1" } }, { gpus: "all" })).toBe("it had more GPUs");
  expect(why({}, { env: ["A=1"] })).toBe("it was given the variables A");
  expect(why(SECRETS, { secrets: ["OTHER=env:KEY"] })).toBe("it was given the secrets OTHER");
  expect(why({}, { image: "debian" })).toBe("it ran in the image debian, which its caller chose");
  const level = { isolation_levels: { testing: { capabilities: ["CHOWN"], namespaces: [] } } };
  const all = ["pid", "mount", "network", "ipc", "uts", "cgroup"];
  const given = { isolation_levels: { testing: { capabilities: ["CHOWN"], namespaces: all } } };
  expect(why(level, { level: "testing" })).toContain("it shared the host's namespaces");
  expect(why(given, { level: "testing" })).toBe("it had the capabilities CHOWN");
  const may = (security: object) => whyWeaker(isolationWith({ security }), isolationWith({}));
  expect(may({ seccomp: false })).toBe("its system calls were not filtered");
  expect(may({ no_new_privileges: false })).toBe("its processes could gain privileges");
  expect(may({ run_as_user: 0 })).toBe("it ran as root");
  expect(may({ run_as_group: 0 })).toBe("it ran in root's group");
  const writable = { isolation_levels: { testing: { read_only_root: false, namespaces: all } } };
  expect(why(writable, { level: "testing" })).toBe("its root file system could be written");
});

test("what is as strict, or stricter, counts", () => {
  for (const isolation of [{}, ISOLATED, BRIDGE, INTERNET, SECRETS, { resource_limits: { gpu: "all" } }]) {
    expect(why(isolation, {}), JSON.stringify(isolation)).toBe(null);
    expect(why(isolation, { network: "none", memory: "1Gi", timeout: "1s", level: "production" })).toBe(null);
  }
  expect(why(INTERNET, { network: "isolated", allowHosts: ["b.example"] })).toBe(null);
  expect(why({}, { network: "isolated" })).toBe(null);
  expect(why({ default_isolation: "none" }, { process: "container" })).toBe(null);
  expect(why({ resource_limits: { gpu: "2" } }, { gpus: "1" })).toBe(null);
  expect(why(SECRETS, { secrets: ["KEY=env:ELSEWHERE"] })).toBe(null);
});

test("how a run was isolated is read whole or not at all", () => {
  const whole = JSON.parse(JSON.stringify(isolationWith(ISOLATED))) as Record<string, unknown>;
  expect(parseRunIsolation(whole)).toEqual(whole);
  for (const key of Object.keys(whole)) {
    for (const other of [undefined, 7, {}, [7]]) {
      expect(parseRunIsolation({ ...whole, [key]: other }), `${key} ${JSON.stringify(other)}`).toBe(undefined);
    }
  }
  for (const nothing of [null, undefined, "", []]) expect(parseRunIsolation(nothing)).toBe(undefined);
});
