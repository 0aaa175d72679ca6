import { expect, test } from "vitest";
import { type AgentConfig, parseAgentConfig } from "../../src/agent/config.js";
import type { ConfigProblem } from "../../src/agent/config-problem.js";
import { configSources } from "../../src/agent/config-sources.js";
import { decodeConfig } from "../../src/agent/find-config.js";
import { KaiError } from "../../src/error.js";

const parse = (text: string): AgentConfig => parseAgentConfig(text, "kai.yaml");

const errorOf = (text: string): KaiError => {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof KaiError) return error;
    throw error;
  }
  throw new Error("Nothing was refused.");
};

const problemsOf = (text: string): ConfigProblem[] => (errorOf(text).data as { problems: ConfigProblem[] }).problems;

const said = (text: string): string[] =>
  problemsOf(text).map(({ line, column, message }) => `${line}:${column} ${message}`);

test("wants nothing but the agent's id", () => {
  const config = parse("agent_id: ai.kai.assistant.general");
  expect(config.agent_id).toBe("ai.kai.assistant.general");
  expect(config.version_management.semantic_versioning).toEqual({
    scheme: "semantic",
    auto_increment: "patch",
    change_detection: true,
    compatibility_checking: true,
    tag_format: "v{version}",
  });
  expect(config.snapshot_isolation.resource_limits.memory).toBe("4Gi");
  expect(config.snapshot_isolation.network.mode).toBe("none");
  expect(config.lifecycle.stop).toEqual({ run: null, timeout: "30s" });
});

test("says that the id is missing, and where it goes", () => {
  expect(said("deploy: {keep: 3}")).toEqual([expect.stringMatching(/^1:1 agent_id is missing: up to 128 letters/)]);
  expect(said("")).toHaveLength(1);
  expect(said("# nothing\n")).toHaveLength(1);
});

test("keeps the other keys of an object that is given in part, and replaces lists whole", () => {
  const { snapshot_isolation: isolation, version_management: versions } = parse(
    "agent_id: a\nsnapshot_isolation: {resource_limits: {cpu: 4}}\nversion_management: {artifacts: {code: {include: ['*.rs']}}}",
  );
  expect(isolation.resource_limits).toMatchObject({ cpu: "4", memory: "4Gi" });
  expect(versions.artifacts.code).toEqual({ include: ["*.rs"], exclude: ["__pycache__", "node_modules"] });
});

test("takes true for patch, and false for no automatic versions", () => {
  const incrementOf = (value: string) =>
    parse(`agent_id: a\nversion_management: {semantic_versioning: {auto_increment: ${value}}}`).version_management
      .semantic_versioning.auto_increment;
  expect(["true", "false", "minor"].map(incrementOf)).toEqual(["patch", false, "minor"]);
});

test("reads numbers where texts are wanted as they were written", () => {
  const text = "agent_id: 1.10\nversion_management: {dependencies: {agents: {b: 1.20}}}";
  expect(parse(text).agent_id).toBe("1.10");
  expect(parse(text).version_management.dependencies.agents).toEqual({ b: "1.20" });
});

test("takes a key whose lines are all commented out for one that is not given", () => {
  const config = parse("agent_id: a\nsnapshot_isolation:\n  tests:\n  #  - {name: x, run: y}\nlifecycle:\nevents:");
  expect(config.snapshot_isolation.tests).toEqual([]);
});

test("takes base images by runtime, or host", () => {
  const imagesOf = (value: string) =>
    parse(`agent_id: a\nsnapshot_isolation: {base_images: ${value}}`).snapshot_isolation.base_images;
  expect(imagesOf("host")).toBe("host");
  expect(imagesOf('{python: "python:3.11-slim", custom: "kai-ai/agent-base:latest"}')).toEqual({
    python: "python:3.11-slim",
    custom: "kai-ai/agent-base:latest",
  });
});

const CURRENT = `agent_id: ai.kai.assistant.general
version_management:
  semantic_versioning: {scheme: semantic, auto_increment: minor, tag_format: "agent-{version}"}
snapshot_isolation:
  enable: false
  temp_dir: /srv/snapshots
  commit_changes: true
  rollback_on_error: false
  default_isolation: vm
  max_concurrent: 3
  cleanup_after: 2h
  resource_limits: {memory: 2GB, cpu: "2.0", storage: 9GB}
rollback_system: {safety_checks: false, backup_before_rollback: false, max_rollback_depth: 4, rollback_timeout: 6m}
`;

const AGENT_VERSIONING = `agent_id: ai.kai.assistant.general
agent_versioning:
  versioning:
    scheme: "semantic"
    auto_increment: "minor"
    tag_format: "agent-{version}"
  snapshots:
    default_isolation: "vm"
    max_concurrent: 3
    cleanup_after: "2h"
    resource_limits: {memory: "2GB", cpu: "2.0", storage: "9GB"}
  rollback: {safety_checks: false, backup_before_rollback: false, max_rollback_depth: 4, rollback_timeout: "6m"}
isolation:
  enable: false
  temp_dir: /srv/snapshots
  commit_changes: true
  rollback_on_error: false
`;

const indented = (text: string) => text.replace(/^(?=.)/gm, "  ");

test("reads the same from each form of the file", () => {
  const current = parse(CURRENT);
  expect(parse(`versioning_system:\n${indented(CURRENT)}`)).toEqual(current);
  expect(parse(AGENT_VERSIONING)).toEqual(current);
  expect(parse(AGENT_VERSIONING.replace(/^(agent_id.*)\n(agent_versioning:)/, "$2\n  $1"))).toEqual(current);
});

test("refuses a key that two forms give", () => {
  const text = "agent_id: a\nsnapshot_isolation:\n  enable: true\nisolation:\n  enable: false";
  expect(said(text)).toEqual(["5:3 This is given twice; the other is snapshot_isolation.enable in line 3."]);
});

test("refuses in an older form what that form never had", () => {
  expect(said("agent_id: a\nisolation: {enabel: true}")).toEqual(['2:13 Unknown key "enabel". Did you mean enable?']);
  expect(said("agent_id: a\nagent_versioning:\n  snapshot: {}")).toEqual([
    '3:3 Unknown key "snapshot". Did you mean snapshots?',
  ]);
  expect(said("agent_id: a\nagent_versioning: 5")[0]).toBe("2:1 agent_versioning must hold keys with their values.");
});

test("names the nearest key for one that is not known, with its place", () => {
  const error = errorOf("agent_id: a\nversion_management:\n  semantic_versioning:\n    auto_incremnt: patch\n");
  expect(error.code).toBe("E106");
  expect(error.message).toBe(
    'kai.yaml:4:5: Unknown key "auto_incremnt" in version_management.semantic_versioning. Did you mean auto_increment?',
  );
  expect(error.hint).toContain("Allowed here: scheme, auto_increment, change_detection");
  expect(error.data).toEqual({
    problems: [
      expect.objectContaining({
        file: "kai.yaml",
        line: 4,
        column: 5,
        path: "version_management.semantic_versioning.auto_incremnt",
      }),
    ],
  });
});

test.each([
  ["agent_id: -a", "1:11 agent_id must be up to 128 letters"],
  ["agent_id: a/b", "1:11 agent_id must be"],
  ["agent_id: a..b", "1:11 agent_id must be"],
  ["agent_id: [a]", "1:11 agent_id must be"],
  ["agent_id: null", "1:11 agent_id must be"],
  ["deploy: {keep: many}", '2:16 deploy.keep must be a whole number from 1 to 10000, not "many".'],
  ["deploy: {keep: 0}", "2:16 deploy.keep must be a whole number"],
  ["deploy: {keep: 1.5}", "2:16 deploy.keep must be a whole number"],
  ["deploy: [1]", "2:9 deploy must hold keys with their values."],
  ["events: {on: x}", "2:9 events must be a list."],
  ["snapshot_isolation: {enable: yes}", '2:30 snapshot_isolation.enable must be true or false, not "yes".'],
  [
    "snapshot_isolation: {filesystem: overlayfs}",
    '2:34 snapshot_isolation.filesystem must be one of none, overlay, tmpfs, not "overlayfs". Did you mean overlay?',
  ],
  [
    "snapshot_isolation: {cleanup_after: 24}",
    '2:37 snapshot_isolation.cleanup_after must be a time such as 30s, 5m, 1h30m, 30d, not "24".',
  ],
  [
    "snapshot_isolation: {resource_limits: {memory: 4 apples}}",
    "2:48 snapshot_isolation.resource_limits.memory must be a size",
  ],
  ["snapshot_isolation: {resource_limits: {network_bandwidth: 100MB}}", "must be a rate such as 100Mbps"],
  ["snapshot_isolation: {resource_limits: {cpu: 0}}", "must be a number of processors"],
  ["snapshot_isolation: {security: {selinux: maybe}}", "must be one of true, false, required"],
  ["snapshot_isolation: {security: {capabilities: [NET_BIND_SERVICES]}}", "Did you mean NET_BIND_SERVICE?"],
  ["snapshot_isolation: {isolation_levels: {testing: {namespaces: [pids]}}}", "Did you mean pid?"],
  ["snapshot_isolation: {isolation_levels: {testing: {namespaces: [pdi]}}}", "Did you mean pid?"],
  ["snapshot_isolation: {network: {mode: isolated, allowed_hosts: ['http://x']}}", "must be a host name"],
  ["snapshot_isolation: {network: {subnet: 10.0.0.0}}", "must be a subnet"],
  ["snapshot_isolation: {secrets: {KEY: hunter2}}", "must be env:NAME, file:PATH or command:COMMAND"],
  ["snapshot_isolation: {secrets: {'A B': 'env:A'}}", '2:32 "A B" is not a variable\'s name.'],
  ["snapshot_isolation: {tests: [{run: x}]}", "2:30 snapshot_isolation.tests[0].name is missing"],
  ["snapshot_isolation: {tests: [{name: x, run: y}, {name: x, run: z}]}", 'The name "x" is given twice'],
  ["snapshot_isolation: {tests: [{name: x, run: y, expect: {exit_code: 256}}]}", "tests[0].expect.exit_code must be"],
  [
    "version_management: {semantic_versioning: {tag_format: v1}}",
    "must be a good tag name with {version} exactly once",
  ],
  ['version_management: {semantic_versioning: {tag_format: "{version}{version}"}}', "exactly once"],
  ['version_management: {semantic_versioning: {tag_format: "a b{version}"}}', "a good tag name"],
  ['version_management: {semantic_versioning: {tag_format: "{version}.lock"}}', "a good tag name"],
  ['version_management: {semantic_versioning: {tag_format: "-{version}"}}', "a good tag name"],
  ["version_management: {dependencies: {agents: {b: newest}}}", "a range of versions"],
  ["rollback_system: {policies: [{name: x, steps: [{type: stop_agnet}]}]}", "Did you mean stop_agent?"],
  ["checks: {rules: {prompt-wording: forbid}}", "must be one of allow, warn, deny"],
  ["events: [{on: agent.version.*}]", "2:15 An event needs either webhook or run."],
  ["events: [{on: agent.version.*, webhook: 'ftp://x'}]", "a URL"],
  ["lifecycle: {trigger: {schedule: nightly}}", "five fields"],
  ['lifecycle: {trigger: {schedule: "99 3 * * *"}}', "five fields"],
  ["lifecycle: {trigger: {on: [schedule]}}", "2:27 The occasion schedule needs lifecycle.trigger.schedule"],
  ['lifecycle: {trigger: {schedule: "0 3 * * *"}}', "2:33 schedule has no meaning without the occasion"],
  ["monitoring: {alerts: [{name: a, condition: bad things}]}", "comparisons"],
  ['lifecycle: {stop: {run: "a\\0b"}}', "lifecycle.stop.run must be a text"],
])("refuses %s", (line, expected) => {
  const text = line.startsWith("agent_id") ? line : `agent_id: a\n${line}`;
  expect(said(text).join("\n")).toContain(expected);
});

test.each([
  ["mode: none, allowed_hosts: [a.example]", "allowed_hosts has no meaning with network mode none"],
  ["mode: bridge, allowed_hosts: [a.example]", "allowed_hosts has no meaning with network mode bridge"],
  ["allowed_hosts: [a.example]", "allowed_hosts has no meaning with network mode none"],
  ["mode: isolated, allow_internet: true", "allow_internet has no meaning with network mode isolated"],
  ["allow_internet: true", "allow_internet has no meaning with network mode none"],
])("refuses the network {%s}", (network, expected) => {
  const [problem] = problemsOf(`agent_id: a\nsnapshot_isolation:\n  network: {${network}}`);
  expect(problem?.message).toContain(expected);
  expect(problem?.line).toBe(3);
});

test("tells every problem, in the order of the file, twenty at most", () => {
  expect(said("agent_id: a/\ndeploy:\n  keep: x\n  rot: y\nchcks: {}").map((line) => line.split(" ")[0])).toEqual([
    "1:11",
    "3:9",
    "4:3",
    "5:1",
  ]);
  const many = Array.from({ length: 50 }, (_, index) => `key${index}: 1`).join("\n");
  expect(problemsOf(`agent_id: a\n${many}`)).toHaveLength(20);
  expect(errorOf("agent_id: a/\nx: 1").message).toMatch(/\(and 1 more\)$/);
});

const laughs = [
  "a: &a [x, x]",
  ..."bcdefghij".split("").map((name, index) => `${name}: &${name} [${`*${"abcdefghij"[index]}, `.repeat(9)}]`),
];

test.each([
  ["a bomb of aliases", laughs.join("\n"), "Anchors and aliases are not supported"],
  ["a tag", "agent_id: !!python/object:os.system x", "Tags such as"],
  ["a local tag", "agent_id: !env HOME", "Tags such as !env"],
  ["a duplicate key", "agent_id: a\nagent_id: b", '2:1 The key "agent_id" is given twice; first in line 1.'],
  ["two documents", "agent_id: a\n---\nagent_id: b", "2:1 There is more than one document in the file."],
  ["a merge key", "agent_id: a\n<<: {deploy: {keep: 1}}", "2:1 Merge keys are not supported"],
  ["__proto__", "agent_id: a\n__proto__: {x: 1}", "2:1 A key cannot be named __proto__."],
  ["__proto__ within", "agent_id: a\nchecks: {rules: {__proto__: deny}}", "A key cannot be named __proto__."],
  ["constructor", "agent_id: a\nconstructor: {x: 1}", '2:1 Unknown key "constructor".'],
  ["a list for a key", "agent_id: a\n? [x, y]\n: 1", "A key must be a plain word."],
  ["a null key", "agent_id: a\n? \n: 1", "A key must be a plain word."],
  ["a number for a key", "agent_id: a\n1: x", '2:1 Unknown key "1".'],
  ["a scalar", "just words", "1:1 The file must hold keys"],
  ["a list", "- agent_id", "The file must hold keys"],
  ["a tab", "agent_id: a\ndeploy:\n\tkeep: 1", "3:1 Not valid YAML"],
  ["an open bracket", "agent_id: [a", "Not valid YAML"],
  ["an open quote", 'agent_id: "a', "Not valid YAML"],
  ["YAML 1.1", "%YAML 1.1\n---\nagent_id: a", "Only YAML 1.2"],
  ["brackets without end", "[".repeat(5000), "Nested too deeply."],
  ["deep lists", `agent_id: a\nevents: ${"[".repeat(100)}${"]".repeat(100)}`, "Nested more than 32 levels deep."],
  ["a large file", `agent_id: a\n#${"x".repeat(1 << 20)}`, "The file is larger than 256 KiB."],
  ["a long key", `agent_id: a\n${"k".repeat(900)}: 1`, "A key is longer than 256 characters."],
])("refuses %s", (_, text, expected) => {
  expect(said(text).join("\n")).toContain(expected);
});

test("leaves the prototypes alone", () => {
  problemsOf('agent_id: a\n"__proto__": {polluted: true}');
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  expect(parse("agent_id: a\nsnapshot_isolation: {secrets: {constructor: env:A}}").snapshot_isolation.secrets).toEqual({
    constructor: "env:A",
  });
});

test("takes a byte order mark, CRLF, and three dashes in front", () => {
  expect(parse("\uFEFF---\r\nagent_id: a\r\ndeploy:\r\n  keep: 7\r\n").deploy.keep).toBe(7);
  expect(said("\uFEFFagent_id: a\r\nx: 1\r\n")).toEqual(['2:1 Unknown key "x".']);
});

test("refuses what is not UTF-8, with its place", () => {
  const bytes = Buffer.concat([Buffer.from("agent_id: a\ndeploy: "), Buffer.from([0xff, 0x0a])]);
  expect(() => decodeConfig(bytes, "kai.yaml")).toThrowError("kai.yaml:2:9: The file is not UTF-8 here.");
});

test("tells where each value comes from, and whether anything acts on it yet", () => {
  const text = `agent_id: a
versioning_system:
  version_management: {semantic_versioning: {tag_format: "x{version}"}}
snapshot_isolation:
  network: {mode: isolated, allowed_hosts: [a.example]}
  base_images: {python: host, node: "node:18"}
  tests:
    - name: one
      run: "true"
      expect: {max_duration: 2s}
`;
  const sources = configSources(text, "kai.yaml");
  const find = (wanted: string) => sources.find(({ key }) => key === wanted);
  expect(find("agent_id")).toEqual({
    key: "agent_id",
    value: "a",
    source: "kai.yaml:1",
    inEffect: true,
    refused: false,
  });
  expect(find("version_management.semantic_versioning.tag_format")).toEqual({
    key: "version_management.semantic_versioning.tag_format",
    value: "x{version}",
    source: "kai.yaml:3 (versioning_system form)",
    inEffect: true,
    refused: false,
  });
  expect(find("version_management.storage.repository")).toMatchObject({
    source: "default",
    inEffect: false,
    refused: false,
  });
  expect(find("version_management.artifacts.data.include")).toMatchObject({
    source: "default",
    inEffect: true,
    refused: false,
  });
  expect(find("snapshot_isolation.network.mode")).toMatchObject({ value: "isolated", inEffect: true, refused: false });
  expect(find("snapshot_isolation.base_images.python")).toMatchObject({
    source: "kai.yaml:6",
    inEffect: true,
    refused: false,
  });
  expect(find("snapshot_isolation.base_images.node")).toMatchObject({ inEffect: true, refused: false });
  expect(find("snapshot_isolation.tests[0].run")).toMatchObject({
    source: "kai.yaml:9",
    inEffect: true,
    refused: false,
  });
  expect(find("snapshot_isolation.tests[0].expect.max_duration")).toMatchObject({
    source: "kai.yaml:10",
    inEffect: true,
    refused: false,
  });
  expect(find("snapshot_isolation.tests[0].timeout")).toMatchObject({ source: "default", value: null });
});

test("conflicts are told together with what else is wrong, and none of what is not good by itself", () => {
  const text = `agent_id: a
snapshot_isolation:
  enable: perhaps
  network: {mode: none, allowed_hosts: [api.example.com]}
  tests: [{name: x, run: y}, {name: x, run: z}, {run: a}, {run: b}]
events: [later]
`;
  expect(said(text).map((line) => line.replace(/ .*/, ""))).toEqual([
    "3:11",
    "4:40",
    "5:37",
    "5:49",
    "5:59",
    "6:10",
    "6:10",
  ]);
  expect(said("agent_id: a\nsnapshot_isolation: {network: {mode: moon, allowed_hosts: [a.example]}}")).toHaveLength(1);
});

test("a text that is read again says the same, and what is broken is broken again, in its own file", () => {
  const text = "agent_id: ai.example.clerk\n";
  expect(parseAgentConfig(text, "b")).toEqual(parseAgentConfig(text, "a"));
  expect(parseAgentConfig("agent_id: ai.example.other\n", "a").agent_id).toBe("ai.example.other");
  for (const file of ["a", "b"]) expect(() => parseAgentConfig("agent_id: [1]\n", file)).toThrow(`${file}:1:11: `);
});
