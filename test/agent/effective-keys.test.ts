import { existsSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { createClassifier } from "../../src/agent/component.js";
import { configSources } from "../../src/agent/config-sources.js";
import { EFFECTIVE_KEYS } from "../../src/agent/effective-keys.js";
import { parseAgentConfig } from "../../src/agent/parse-agent-config.js";
import { chooseBase } from "../../src/snapshot/sandbox/choose-base.js";
import { ISOLATION_LEVELS, type IsolationLevel, planSettings } from "../../src/snapshot/snapshot-settings.js";
import type { EarlierResult } from "../../src/snapshot/testing/earlier-results.js";
import { judgeExpectations } from "../../src/snapshot/testing/expectations.js";
import { expectationsOf } from "../../src/snapshot/testing/expectations-of.js";
import { testVersion } from "../../src/snapshot/testing/test-version.js";
import { refused, told } from "../scenarios/place.js";
import { sharedCache } from "../snapshot/sandbox.js";
import { agentWithVersions } from "../support/agent.js";
import { referenceKeys } from "./config-reference.js";
import { SHOWN_ROLLBACK_KEYS } from "./shown-rollback-keys.js";

/** kai.yaml as JSON, which is YAML, with this one key. */
function withKey(key: string, value: unknown): string {
  const nested = key.split(".").reduceRight<unknown>((inner, word) => ({ [word]: inner }), value);
  return JSON.stringify({ agent_id: "ai.example.clerk", ...(nested as object) });
}

const read = (text: string) => parseAgentConfig(text, "kai.yaml");
const isolationOf = (text: string) => read(text).snapshot_isolation;

const KINDS = ["state", "models", "prompts", "tools", "environment", "build", "data", "config", "code"];

/** The kinds of a file that `include` names, without and with `exclude`. */
const kindsOfFile = (kind: string): unknown[] =>
  [[], ["odd.file"]].map((exclude) =>
    createClassifier(
      read(withKey(`version_management.artifacts.${kind}`, { include: ["odd.file"], exclude })).version_management
        .artifacts,
    )("odd.file"),
  );

const builtKind = (outputs: string[]) =>
  createClassifier(read(withKey("version_management.artifacts.build.outputs", outputs)).version_management.artifacts)(
    "out/odd.file",
  );

/** What a sandbox over a Python agent is to be, or why there is none. */
function sandboxWith(key: string, value: unknown, runtime: "python" | "node" | "other" = "python"): unknown {
  try {
    const isolation = isolationOf(withKey(`snapshot_isolation.${key}`, value));
    const [group, level] = key.split(".");
    const options = group === "isolation_levels" ? { level: level as IsolationLevel } : {};
    return { ...planSettings(isolation, options), base: chooseBase(isolation.base_images, runtime) };
  } catch (cause) {
    return (cause as Error).message;
  }
}

const scenario = (more: object) => ({ name: "it", run: "true", ...more });
const RAN = { exitCode: 3, stdout: "moon", durationMs: 5000, timedOut: false, oomKilled: false };

/** What a run that took 5 s and 1 GB and ended with 3 falls short of. */
function failuresWith(expected: object, before?: EarlierResult): string[] {
  const [first] = isolationOf(withKey("snapshot_isolation.tests", [scenario({ expect: expected })])).tests;
  if (!first) throw new Error("there is no scenario");
  return judgeExpectations({ ...RAN, resources: { peakMemory: 1e9 } as never }, expectationsOf(first, before));
}

/** An agent with version 1.0.0, and a feature since, of which kai.yaml says this. */
async function clerkWith(key: string, value: unknown) {
  const agent = await agentWithVersions("1.0.0");
  agent.write("kai.yaml", withKey(key, value));
  agent.commit("feat: more");
  return agent;
}

const SETTINGS: Readonly<Record<string, [key: string, without: unknown, given: unknown]>> = Object.fromEntries(
  (
    [
      ["enable", true, false],
      ["container_runtime", "podman", "docker"],
      ["default_isolation", "container", "vm"],
      ["filesystem", "overlay", "tmpfs"],
      ["network.mode", "none", "bridge"],
      ["network.allow_internet", { mode: "bridge" }, { mode: "bridge", allow_internet: true }],
      ["network.allowed_hosts", { mode: "isolated" }, { mode: "isolated", allowed_hosts: ["a.example"] }],
      ["network.subnet", { mode: "bridge" }, { mode: "bridge", subnet: "10.89.0.0/24" }],
      ["cleanup_after", "1h", "2h"],
      ["resource_limits.network_bandwidth", "1Mbps", "2Mbps"],
      ["secrets", {}, { KEY: "env:KEY" }],
      ["base_images", "host", { python: "python:3.11-slim" }],
      ["base_images.python", "host", "python:3.11-slim"],
      ["resource_limits.cpu", "1", "2"],
      ["resource_limits.memory", "1Gi", "2Gi"],
      ["resource_limits.storage", "1Gi", "2Gi"],
      ["resource_limits.pids", 7, 8],
      ["resource_limits.timeout", "1m", "2m"],
      ["resource_limits.gpu", null, "all"],
      ["security.read_only_root", true, false],
      ["security.no_new_privileges", true, false],
      ["security.run_as_user", 1000, 7],
      ["security.run_as_group", 1000, 7],
      ["security.capabilities", [], ["CHOWN"]],
      ["security.seccomp", true, false],
      ["security.apparmor", true, "required"],
      ["security.selinux", true, "required"],
      ...ISOLATION_LEVELS.flatMap((level) => [
        [`isolation_levels.${level}.namespaces`, ["pid"], ["pid", "ipc"]] as const,
        [`isolation_levels.${level}.capabilities`, [], ["CHOWN"]] as const,
        [`isolation_levels.${level}.read_only_root`, true, false] as const,
      ]),
    ] as const
  ).map(([key, without, given]) => {
    // Where two keys mean something together only, both are given.
    const set = key.startsWith("network.") && typeof given === "object" && given !== null ? "network" : key;
    return [`snapshot_isolation.${key}`, [set, without, given]];
  }),
);

const temporary = sharedCache();

/** What shows that a key is in effect: two values of it, and what is different. */
const SHOWN: Readonly<Record<string, () => unknown>> = {
  agent_id: async () => {
    const agent = await clerkWith("agent_id", "ai.example.other");
    expect(await told(agent, "status")).toMatchObject({ agent: "ai.example.other" });
  },
  "version_management.semantic_versioning.auto_increment": async () => {
    const agent = await clerkWith("version_management.semantic_versioning.auto_increment", "major");
    expect(await told(agent, "create", "--dry-run")).toMatchObject({ version: "2.0.0" });
  },
  "version_management.semantic_versioning.change_detection": async () => {
    const agent = await clerkWith("version_management.semantic_versioning.change_detection", false);
    expect(await told(agent, "next")).toMatchObject({ required: "none", next: "1.0.1" });
  },
  "version_management.semantic_versioning.compatibility_checking": async () => {
    const key = "version_management.semantic_versioning.compatibility_checking";
    const [strict, lax] = [await clerkWith(key, true), await clerkWith(key, false)];
    expect(await refused(strict, "create", "--bump", "patch")).toMatchObject({ code: "E108" });
    expect(await told(lax, "create", "--bump", "patch", "--dry-run")).toMatchObject({ version: "1.0.1" });
  },
  "version_management.semantic_versioning.tag_format": async () => {
    const agent = await clerkWith("version_management.semantic_versioning.tag_format", "clerk-{version}");
    expect(await told(agent, "create", "--dry-run")).toMatchObject({ tag: "clerk-1.1.0" });
  },
  "version_management.artifacts.*.include": () => {
    for (const kind of KINDS) expect(kindsOfFile(kind)[0]).toBe(kind);
  },
  "version_management.artifacts.*.exclude": () => {
    for (const kind of KINDS) expect(kindsOfFile(kind)[1]).toBe("assets");
  },
  "version_management.artifacts.build.outputs": () => {
    expect([builtKind([]), builtKind(["out/**"])]).toEqual(["assets", "build"]);
  },
  "version_management.artifacts.models.versioning": async () => {
    const agent = await clerkWith("version_management.artifacts.models.versioning", false);
    expect(await told(agent, "create")).toMatchObject({ record: { unpinned: ["models"] } });
  },
  "version_management.artifacts.state.encrypt": async () => {
    const agent = await clerkWith("version_management.artifacts.state", { include: ["state.json"], encrypt: true });
    await told(agent, "create");
    expect(agent.git("cat-file", "blob", "refs/kai/state/v1.1.0:files/0")).not.toContain("seen");
  },
  "version_management.artifacts.state.keep": async () => {
    const agent = await clerkWith("version_management.artifacts.state", { include: ["state.json"], keep: 1 });
    expect(await told(agent, "create")).toMatchObject({ state: { forgotten: ["1.0.0"] } });
  },
  "version_management.dependencies.agents": async () => {
    const agent = await clerkWith("version_management.dependencies.agents", { "ai.example.helper": "^2.0.0" });
    expect(await told(agent, "create")).toMatchObject({
      record: { dependencies: { agents: { "ai.example.helper": null } } },
    });
    const { stdout } = await agent.kai("show", "current");
    expect(stdout).toMatch(/^agents +ai\.example\.helper \(none in its range was here\)$/m);
  },
  ...Object.fromEntries(
    Object.entries(SETTINGS).map(([whole, [key, without, given]]) => [
      whole,
      () => expect(sandboxWith(key, given), key).not.toEqual(sandboxWith(key, without)),
    ]),
  ),
  "snapshot_isolation.base_images.node": () =>
    expect(sandboxWith("base_images.node", "host", "node")).toMatchObject({ base: { kind: "host" } }),
  "snapshot_isolation.base_images.custom": () =>
    expect(sandboxWith("base_images.custom", "host", "other")).toMatchObject({ base: { kind: "host" } }),
  "snapshot_isolation.temp_dir": async () => {
    await runTwice();
    expect(existsSync(path.join(temporary, "here"))).toBe(true);
  },
  "snapshot_isolation.commit_changes": async () => expect(await changing({})).toEqual([null, null]),
  "snapshot_isolation.rollback_on_error": async () => {
    expect(await changing({ commit_changes: true })).toEqual([BRANCH, null]);
    expect(await changing({ commit_changes: true, rollback_on_error: false })).toEqual([BRANCH, BRANCH]);
  },
  "snapshot_isolation.require_snapshot_test": async () => {
    const agent = await clerkWith("snapshot_isolation.require_snapshot_test", true);
    expect(await refused(agent, "create")).toMatchObject({ code: "E129" });
  },
  "snapshot_isolation.max_concurrent": async () => {
    const isolation = {
      max_concurrent: 1,
      temp_dir: path.join(temporary, "one"),
      resource_limits: { storage: "32Mi" },
    };
    const agent = await clerkWith("snapshot_isolation", isolation);
    await told(agent, "create", "--as", "1.1.0");
    const { id } = await told(agent, "snapshot", "create", "1.1.0");
    expect(await refused(agent, "snapshot", "create", "1.1.0", "--no-wait")).toMatchObject({ code: "E113" });
    await told(agent, "snapshot", "destroy", id);
  },
  "snapshot_isolation.tests": () => expect(testing({ tests: [] })).rejects.toMatchObject({ code: "E122" }),
  "snapshot_isolation.tests.name": async () => expect(await runTwice()).toMatchObject([{ name: "a" }, { name: "b" }]),
  "snapshot_isolation.tests.kind": async () =>
    expect(await runTwice()).toMatchObject([{ kind: "functionality" }, { kind: "integration" }]),
  "snapshot_isolation.tests.run": async () =>
    expect(await runTwice()).toMatchObject([{ stdout: "one\n" }, { stdout: "two\n" }]),
  "snapshot_isolation.tests.timeout": async () =>
    expect(await runTwice()).toMatchObject([{ timedOut: false }, { timedOut: true }]),
  "snapshot_isolation.tests.expect.exit_code": () =>
    expect([failuresWith({}), failuresWith({ exit_code: 3 })]).toEqual([["Exit status 3, expected 0."], []]),
  "snapshot_isolation.tests.expect.stdout": () =>
    expect(failuresWith({ exit_code: 3, stdout: "sun" })).toEqual(['stdout lacks "sun"; it is "moon".']),
  "snapshot_isolation.tests.expect.max_duration": () =>
    expect(failuresWith({ exit_code: 3, max_duration: "2s" })[0]).toContain("It took 5000 ms"),
  "snapshot_isolation.tests.expect.max_memory": () =>
    expect(failuresWith({ exit_code: 3, max_memory: "1Mi" })[0]).toContain("It used 954 MiB of memory"),
  "snapshot_isolation.tests.expect.worse_than_before": () => {
    const before = { version: "0.9.0", durationMs: 4000, peakMemory: null };
    expect(failuresWith({ exit_code: 3, worse_than_before: "20%" }, before)[0]).toContain("It took 5000 ms");
    expect(failuresWith({ exit_code: 3, worse_than_before: "30%" }, before)).toEqual([]);
  },
  "deploy.root": async () => {
    const agent = await clerkWith("deploy.root", "../there");
    const { path: folder } = await told(agent, "deploy", "1.0.0", "--dry-run");
    expect(folder).toBe(path.join(path.dirname(agent.dir), "there/versions/v1.0.0"));
  },
  "deploy.keep": async () => {
    const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0");
    agent.write("kai.yaml", withKey("deploy", { root: "../there", keep: 1 }));
    for (const version of ["1.0.0", "1.1.0"]) await told(agent, "deploy", version);
    expect(await told(agent, "deploy", "1.2.0")).toMatchObject({ removed: ["1.0.0"] });
  },
};

/** Tests a version of whose kai.yaml this is a part. */
async function testing(isolation: object) {
  const agent = await clerkWith("snapshot_isolation", { base_images: "host", ...isolation });
  await told(agent, "create", "--as", "1.1.0");
  const caller = { cwd: agent.dir, env: agent.env, now: () => new Date(), progress: () => {}, onRecovered: () => {} };
  return testVersion(caller, { version: "1.1.0", options: {}, wait: true });
}

const BRANCH = expect.stringMatching(/^kai\/snapshot\/[0-9A-Z]{26}$/);

/** The branches that two runs end up on, each of which changes a file: one that passes, and one that fails. */
async function changing(isolation: object): Promise<unknown[]> {
  const temp = path.join(temporary, "changing");
  const run = (name: string, exit: number) => ({ name, run: `echo ${name} > new.txt; exit ${exit}` });
  const { tests } = await testing({ temp_dir: temp, tests: [run("passes", 0), run("fails", 1)], ...isolation });
  return tests.map(({ branch }) => branch);
}

let ranTwice: ReturnType<typeof testing> | undefined;

/** Two scenarios that differ in all that a scenario says, in real sandboxes, once for all tests. */
async function runTwice() {
  ranTwice ??= testing({
    temp_dir: path.join(temporary, "here"),
    tests: [
      { name: "a", run: "echo one" },
      { name: "b", kind: "integration", run: "echo two; exec sleep 60", timeout: "500ms" },
    ],
  });
  return (await ranTwice).tests;
}

test("of each key that is said to be in effect it is known what shows it", () => {
  const shown = Object.keys({ ...SHOWN, ...SHOWN_ROLLBACK_KEYS });
  expect(shown.sort()).toEqual(Object.keys(EFFECTIVE_KEYS).sort());
});

for (const [key, show] of Object.entries(SHOWN)) {
  test(`${key} changes what a command does`, async () => {
    await show();
  });
}

test("a key that can have one value only is never in effect", () => {
  const single = referenceKeys().filter(({ schema }) => schema.kind === "scalar" && schema.allowed?.length === 1);
  expect(single.map(({ key }) => key)).toContain("version_management.storage.type");
  for (const { key } of single) expect(EFFECTIVE_KEYS[key], key).toBeUndefined();
});

test("an engine that there is not is said to be refused, as a sandbox refuses it", () => {
  const shown = configSources(withKey("snapshot_isolation.container_runtime", "docker"), "kai.yaml");
  expect(shown.filter(({ refused }) => refused)).toMatchObject([
    { key: "snapshot_isolation.container_runtime", inEffect: false },
  ]);
  expect(sandboxWith("container_runtime", "docker")).toContain("(snapshot_isolation.container_runtime in kai.yaml)");
});

test("an image of a runtime that nothing looks for is not in effect", () => {
  const shown = configSources(
    withKey("snapshot_isolation.base_images", { python: "host", ruby: "ruby:3" }),
    "kai.yaml",
  );
  const effect = (key: string) => shown.find((each) => each.key === `snapshot_isolation.base_images.${key}`)?.inEffect;
  expect([effect("python"), effect("ruby")]).toEqual([true, false]);
});
