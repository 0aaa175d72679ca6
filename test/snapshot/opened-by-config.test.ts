import path from "node:path";
import { expect, test } from "vitest";
import { parseAgentConfig } from "../../src/agent/config.js";
import { formatOpenings, openedBeyond, openedByConfig } from "../../src/snapshot/opened-by-config.js";
import type { SnapshotOptions } from "../../src/snapshot/snapshot-settings.js";
import { placeAt } from "../scenarios/place.js";
import { snapshotAgent } from "./snapshot-agent.js";

const openedBy = (isolation: object, options: SnapshotOptions = {}) => {
  const text = JSON.stringify({ agent_id: "ai.example.a", snapshot_isolation: isolation });
  return openedByConfig(parseAgentConfig(text, "kai.yaml").snapshot_isolation, options);
};

const opened = (isolation: object, options: SnapshotOptions = {}) => formatOpenings(openedBy(isolation, options));

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
  const agent = await snapshotAgent({ security: { run_as_user: 0 } });
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
});
