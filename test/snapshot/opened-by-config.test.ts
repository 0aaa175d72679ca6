import path from "node:path";
import { expect, test } from "vitest";
import { parseAgentConfig } from "../../src/agent/parse-agent-config.js";
import type { SandboxUse } from "../../src/snapshot/limit-openings.js";
import { openedBeyond, openedByConfig } from "../../src/snapshot/opened-by-config.js";
import { formatOpenings } from "../../src/snapshot/opening.js";
import type { SnapshotOptions } from "../../src/snapshot/snapshot-settings.js";
import { placeAt } from "../scenarios/place.js";
import { snapshotAgent } from "./snapshot-agent.js";

const openedBy = (isolation: object, options: SnapshotOptions = {}, use: SandboxUse = {}) => {
  const text = JSON.stringify({ agent_id: "ai.example.a", snapshot_isolation: isolation });
  return openedByConfig(parseAgentConfig(text, "kai.yaml").snapshot_isolation, options, use);
};

const opened = (isolation: object, options: SnapshotOptions = {}, use: SandboxUse = {}) =>
  formatOpenings(openedBy(isolation, options, use));

test("what a kai.yaml opens beyond what is built in is found, each key", () => {
  expect(opened({ default_isolation: "none" })).toBe("default_isolation: none");
  for (const name of ["seccomp", "apparmor", "selinux", "no_new_privileges", "read_only_root"])
    expect(opened({ security: { [name]: false } })).toBe(`security.${name}: false`);
  expect(opened({ security: { run_as_user: 0 } })).toBe("security.run_as_user: 0");
  expect(opened({ security: { run_as_group: 0 } })).toBe("security.run_as_group: 0");
  expect(opened({ security: { capabilities: ["SYS_ADMIN", "KILL"] } })).toBe("security.capabilities: SYS_ADMIN KILL");
  expect(opened({ temp_dir: "/srv/a" })).toBe("temp_dir: /srv/a");
  expect(opened({ temp_dir: "/srv/a\nb" })).toBe('temp_dir: "/srv/a\\nb"');
  const levels = { testing: { namespaces: ["mount"], capabilities: ["CHOWN"], read_only_root: false } };
  expect(opened({ isolation_levels: levels }, { level: "testing" })).toBe(
    "isolation_levels.testing.capabilities: CHOWN, isolation_levels.testing.namespaces: without pid without network without ipc without uts, isolation_levels.testing.read_only_root: false",
  );
});

test("a way to this host or to everything is found, and one to public hosts where it could take a secret along", () => {
  const bridge = { mode: "bridge", allow_internet: true, subnet: "10.9.0.0/24" };
  const beyond = "network.allow_internet: true, network.subnet: 10.9.0.0/24";
  expect(opened({ network: bridge })).toBe(`network.mode: bridge, ${beyond}`);
  expect(opened({ network: bridge }, { network: "bridge" })).toBe(beyond);
  for (const network of ["none", "isolated"] as const) expect(opened({ network: bridge }, { network })).toBe("");
  const isolated = { network: { mode: "isolated", allowed_hosts: ["a.example", "b.example"] } };
  expect(opened(isolated)).toBe("");
  expect(opened(isolated, { secrets: ["KEY"] })).toBe("");
  expect(opened(isolated, { secrets: ["KEY=env:KEY"] })).toBe("network.allowed_hosts: a.example b.example");
  expect(opened(isolated, { secrets: ["KEY=env:KEY"], allowHosts: ["b.example"] })).toBe(
    "network.allowed_hosts: a.example",
  );
  expect(opened(isolated, { secrets: ["KEY=env:KEY"], network: "none" })).toBe("");
});

const LIMITS: [name: string, usual: unknown, more: unknown, options: SnapshotOptions][] = [
  ["cpu", "2", "2.5", { cpus: "64" }],
  ["memory", "4096Mi", "5Gi", { memory: "64Gi" }],
  ["storage", "10Gi", "11Gi", { storage: "64Gi" }],
  ["pids", 512, 513, { pids: "4096" }],
  ["timeout", "300s", "301s", { timeout: "24h" }],
  ["gpu", null, "1", { gpus: "all" }],
];

test.each(LIMITS)(
  "more %s than is built in is found where the caller names none himself",
  (name, usual, more, options) => {
    expect(opened({ resource_limits: { [name]: usual } })).toBe("");
    expect(opened({ resource_limits: { [name]: more } })).toBe(`resource_limits.${name}: ${more}`);
    expect(opened({ resource_limits: { [name]: more } }, options)).toBe("");
  },
);

test("more bandwidth is found where there is a network, a longer life where it stays, more time of the scenario that runs", () => {
  const fast = { resource_limits: { network_bandwidth: "1Gbps" } };
  expect(opened(fast)).toBe("");
  expect(opened(fast, { network: "isolated" })).toBe("resource_limits.network_bandwidth: 1Gbps");
  expect(opened(fast, { network: "isolated", bandwidth: "2Gbps" })).toBe("");
  expect(opened({ cleanup_after: "30d" })).toBe("");
  expect(opened({ cleanup_after: "30d" }, {}, { stays: true })).toBe("cleanup_after: 30d");
  expect(opened({ cleanup_after: "30d" }, { ttl: "60d" }, { stays: true })).toBe("");
  const slow = { scenario: { name: "slow\n", timeout: "24h" } };
  expect(opened({}, {}, slow)).toBe('"tests.slow\\n.timeout": 24h');
  expect(opened({}, { timeout: "1h" }, slow)).toBe("");
  const soon = { scenario: { name: "soon", timeout: "1m" } };
  expect(opened({ resource_limits: { timeout: "24h" } }, {}, soon)).toBe("");
  expect(opened({}, { timeout: "10s" }, soon)).toBe("");
  expect(opened({ resource_limits: { timeout: "24h" } }, {}, { scenario: { name: "usual", timeout: null } })).toBe(
    "resource_limits.timeout: 24h",
  );
});

test("what is built in, what closes, and what the caller asked for himself opens nothing", () => {
  for (const level of [undefined, "development", "testing", "production"] as const)
    expect(opened({}, { level })).toBe("");
  expect(opened({ isolation_levels: { testing: { namespaces: [] } } })).toBe("");
  expect(opened({ default_isolation: "none" }, { process: "none" })).toBe("");
  expect(opened({ default_isolation: "none" }, { process: "container" })).toBe("");
  expect(opened({ default_isolation: "vm", security: { seccomp: true, run_as_user: 1001 } })).toBe("");
  expect(opened({ security: { read_only_root: false } }, { level: "production" })).toBe("");
});

test("what another one opens, too, is not beyond it", () => {
  const [more, less] = [
    openedBy({ default_isolation: "none", security: { capabilities: ["KILL", "CHOWN"] } }),
    openedBy({ default_isolation: "none", security: { capabilities: ["CHOWN"] } }),
  ];
  expect(formatOpenings(openedBeyond(more, less))).toBe("security.capabilities: KILL");
  expect(openedBeyond(less, more)).toEqual([]);
});

test("of a limit no more than another one opens is not beyond it, however it is written", () => {
  const beyond = (own: object, known: object, use: SandboxUse = {}, knownUse = use) =>
    formatOpenings(openedBeyond(openedBy(own, {}, use), openedBy(known, {}, knownUse)));
  const memory = (size: string) => ({ resource_limits: { memory: size } });
  expect(beyond(memory("8192Mi"), memory("8Gi"))).toBe("");
  expect(beyond(memory("6Gi"), memory("8Gi"))).toBe("");
  expect(beyond(memory("9Gi"), memory("8Gi"))).toBe("resource_limits.memory: 9Gi");
  expect(beyond({ resource_limits: { gpu: "all" } }, { resource_limits: { gpu: "4" } })).toBe(
    "resource_limits.gpu: all",
  );
  expect(beyond({ resource_limits: { gpu: "4" } }, { resource_limits: { gpu: "all" } })).toBe("");
  const takes = (timeout: string) => ({ scenario: { name: "a", timeout } });
  expect(beyond({}, {}, takes("1h"), takes("2h"))).toBe("");
  expect(beyond({}, {}, takes("2h"), takes("1h"))).toBe("tests.a.timeout: 2h");
});

const WIDE = {
  default_isolation: "none",
  security: { seccomp: false, no_new_privileges: false, run_as_user: 0, run_as_group: 0, capabilities: ["KILL"] },
};

/** What of a stranger's agent is here: a clone whose trust root was taken as it came. */
async function strangersClone(isolation: Record<string, unknown>) {
  const agent = await snapshotAgent(isolation);
  const folder = path.join(path.dirname(agent.dir), "clone");
  agent.git("clone", "--quiet", agent.dir, folder);
  const home = path.join(path.dirname(agent.dir), "another-home");
  const place = placeAt(folder, { ...agent.env, HOME: home, KAI_HOME: path.join(home, "kai") });
  expect(String(await place.kai("init", "--yes"))).toContain("[exit 0]");
  return place;
}

test("a stranger's version opens nothing of this machine, on the caller's word it does", async () => {
  const { kai } = await strangersClone(WIDE);
  const asked = ["--process", "container", "--json", "--", "id", "-u"];
  const ran = (await kai("snapshot", "run", "1.1.0", ...asked)).json();
  expect(ran.error).toMatchObject({ code: "E112", message: expect.stringContaining("nobody has confirmed it") });
  expect(ran.error.message).toContain("security.seccomp: false");
  expect(ran.error.message).toContain("security.capabilities: KILL");
  expect(ran.error.hint).toContain("--trust-config");
  const created = (await kai("snapshot", "create", "1.1.0", "--json")).json();
  expect(created.error).toMatchObject({ code: "E112", hint: expect.stringContaining("--process container") });
  expect((await kai("snapshot", "test", "1.1.0", "--json", "--", "true")).json().error.code).toBe("E112");
  const trusted = (await kai("snapshot", "run", "1.1.0", "--trust-config", ...asked)).json();
  expect(trusted).toMatchObject({ exitCode: 0, stdout: "0\n" });
});

/** Where snapshots are by default, so that nothing else is opened. */
const BUILT_IN = { temp_dir: "/tmp/kai_snapshots" };
const GREEDY = {
  ...BUILT_IN,
  network: { mode: "bridge", allow_internet: true },
  resource_limits: { storage: "32Mi", memory: "64Gi", pids: 5000, timeout: "7d" },
  cleanup_after: "365d",
};

/** How many networks there are inside, beside the loopback. */
const NETWORKS = ["--json", "--", "sh", "-c", "tail -n +3 /proc/net/dev | grep -vc ' lo:'; true"];

test("a stranger's version gets no way to this host, and no more of it than is built in, but on the caller's word", async () => {
  const { kai } = await strangersClone(GREEDY);
  const refused = (await kai("snapshot", "run", "1.1.0", ...NETWORKS)).json().error;
  expect(refused).toMatchObject({
    code: "E112",
    message: expect.stringContaining(
      "(network.mode: bridge, network.allow_internet: true, resource_limits.memory: 64Gi, resource_limits.pids: 5000, resource_limits.timeout: 7d)",
    ),
    hint: expect.stringContaining(
      "`--network none` gives it none. `--memory 4Gi --pids 512 --timeout 5m` limits it as usual. `--trust-config`",
    ),
  });
  const created = (await kai("snapshot", "create", "1.1.0", "--json")).json().error;
  expect(created).toMatchObject({ message: expect.stringContaining(", cleanup_after: 365d)") });
  expect(created.hint).toContain("--timeout 5m --ttl 24h`");
  const usual = ["--network", "none", "--memory", "256Mi", "--pids", "64", "--timeout", "1m"];
  const ran = (await kai("snapshot", "run", "1.1.0", ...usual, ...NETWORKS)).json();
  expect(ran).toMatchObject({ exitCode: 0, stdout: "0\n", isolation: { network: "none", opened: [] } });
  const trusted = (await kai("snapshot", "run", "1.1.0", "--memory", "256Mi", "--trust-config", ...NETWORKS)).json();
  expect(trusted).toMatchObject({
    stdout: "1\n",
    isolation: {
      network: "bridge",
      allowInternet: true,
      opened: expect.arrayContaining([
        { key: "network.allow_internet", value: "true" },
        { key: "resource_limits.timeout", value: "7d" },
      ]),
    },
  });
});

test("a stranger's scenario takes no more time than is built in, in a range either, unless the caller gives it, and then no more", async () => {
  const tests = [{ name: "slow", run: "sleep 5", timeout: "6d" }];
  const { kai } = await strangersClone({ ...BUILT_IN, tests });
  for (const range of ["1.1.0", "1.0.0..1.1.0"]) {
    const refused = (await kai("snapshot", "test", range, "--json")).json().error;
    expect(refused).toMatchObject({
      code: "E112",
      message: expect.stringContaining("(tests.slow.timeout: 6d)"),
      hint: expect.stringContaining("`--timeout 6d` gives it the time."),
    });
  }
  const tested = (await kai("snapshot", "test", "1.0.0..1.1.0", "--timeout", "7d", "--json")).json();
  expect(tested.versions).toMatchObject([{ passed: true }, { passed: true }]);
  const ended = (await kai("snapshot", "test", "1.1.0", "--timeout", "2s", "--json")).json();
  expect(ended).toMatchObject({
    passed: false,
    tests: [{ timedOut: true }],
  });
});

test("the hosts that a stranger's version lists are no way out for a secret of the caller", async () => {
  const network = { mode: "isolated", allowed_hosts: ["a.example"] };
  const { kai, env } = await strangersClone({ ...BUILT_IN, network });
  env["KEY"] = "very-secret-value";
  const run = async (...options: string[]) =>
    (await kai("snapshot", "run", "1.1.0", ...options, "--json", "--", "true")).json();
  expect(await run()).toMatchObject({ exitCode: 0, isolation: { allowedHosts: ["a.example"], opened: [] } });
  const { error } = await run("--secret", "KEY=env:KEY");
  expect(error).toMatchObject({ code: "E112", message: expect.stringContaining("(network.allowed_hosts: a.example)") });
  expect(error.hint).toContain("--allow-host");
  for (const own of [["--network", "none"], ["--network", "isolated", "--allow-host", "a.example"], ["--trust-config"]])
    expect(await run("--secret", "KEY=env:KEY", ...own)).toMatchObject({ exitCode: 0 });
});

test("what a version's own user opens is done, shown and recorded", async () => {
  const agent = await snapshotAgent(WIDE);
  const ran = await agent.made("run", "1.1.0", "--", "id", "-u");
  expect(ran.stdout).toBe("0\n");
  expect(ran.isolation.security).toMatchObject({
    seccomp: false,
    noNewPrivileges: false,
    capabilities: ["KILL"],
    user: { uid: 0, gid: 0 },
  });
  expect(ran.isolation.opened).toContainEqual({ key: "security.seccomp", value: "false" });
  const record = agent.git("show", "--no-patch", "--format=%B", ran.run);
  expect(JSON.parse(record.trim().split("\n").at(-1) ?? "").isolation.settings).toMatchObject({
    seccomp: false,
    noNewPrivileges: false,
    user: { uid: 0, gid: 0 },
  });
  const { id, isolation } = await agent.made("create", "1.1.0");
  expect(isolation).toMatchObject({ security: ran.isolation.security, opened: ran.isolation.opened });
  const shown = String(await agent.snapshot("show", id));
  expect(shown).toContain("user 0:0, capabilities KILL, any system call, new privileges, read-only root");
  expect(shown).toContain("default_isolation: none");
});

test("a commit that is no version opens what the version in force does, and no more", async () => {
  const limits = { storage: "32Mi", memory: "256Mi", timeout: "20m" };
  const agent = await snapshotAgent({ security: { run_as_user: 0 }, resource_limits: limits });
  agent.write("logic.py", "print('changed')\n");
  agent.commit("feat: change");
  expect((await agent.made("run", "HEAD", "--", "id", "-u")).stdout).toBe("0\n");
  const config = JSON.parse(agent.git("show", "HEAD:kai.yaml"));
  config.snapshot_isolation.security.capabilities = ["SYS_ADMIN"];
  agent.write("kai.yaml", JSON.stringify(config));
  agent.commit("feat: want more");
  const refused = await agent.refused("run", "HEAD", "--", "true");
  expect(refused).toMatchObject({
    code: "E112",
    message: expect.stringContaining("(security.capabilities: SYS_ADMIN)"),
    opened: [{ key: "security.capabilities", value: "SYS_ADMIN" }],
  });
  expect(refused.message).toContain("v1.1.0, which is in force, does not open that");
  expect(await agent.made("run", "HEAD", "--trust-config", "--", "true")).toMatchObject({ exitCode: 0 });
  const wants = (timeout: string) => {
    const isolation = { ...config.snapshot_isolation, security: {}, resource_limits: { ...limits, timeout } };
    agent.write("kai.yaml", JSON.stringify({ ...config, snapshot_isolation: isolation }));
    agent.commit("feat: want another time");
  };
  wants("10m");
  expect(await agent.made("run", "HEAD", "--", "true")).toMatchObject({
    isolation: { opened: expect.arrayContaining([{ key: "resource_limits.timeout", value: "10m" }]) },
  });
  wants("30m");
  expect((await agent.refused("run", "HEAD", "--", "true")).message).toContain("(resource_limits.timeout: 30m)");
});
