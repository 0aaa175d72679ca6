import { expect, test } from "vitest";
import { decodeConfig } from "../../src/agent/find-config.js";
import { parseAgentConfig } from "../../src/agent/parse-agent-config.js";
import { errorOf, problemsOf, said } from "./config-text.js";

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
  ["snapshot_isolation: {resource_limits: {cpu: 0.001}}", "from 0.01 to 1024"],
  ["snapshot_isolation: {resource_limits: {cpu: 5000}}", "from 0.01 to 1024"],
  ["snapshot_isolation: {resource_limits: {memory: 4095Ki}}", "not less than 4Mi"],
  ["snapshot_isolation: {resource_limits: {storage: 1Ki}}", "not less than 4Mi"],
  ["snapshot_isolation: {resource_limits: {pids: 1}}", "a whole number from 2 to"],
  ["snapshot_isolation: {security: {selinux: maybe}}", "must be one of true, false, required"],
  ["snapshot_isolation: {security: {capabilities: [NET_BIND_SERVICES]}}", "Did you mean NET_BIND_SERVICE?"],
  ["snapshot_isolation: {isolation_levels: {testing: {namespaces: [pids]}}}", "Did you mean pid?"],
  ["snapshot_isolation: {isolation_levels: {testing: {namespaces: [pdi]}}}", "Did you mean pid?"],
  ["snapshot_isolation: {network: {mode: isolated, allowed_hosts: ['http://x']}}", "must be a host name"],
  ["snapshot_isolation: {network: {subnet: 10.0.0.0}}", "must be a subnet"],
  ["snapshot_isolation: {secrets: {KEY: hunter2}}", "must be env:NAME, file:PATH or command:COMMAND"],
  ["snapshot_isolation: {secrets: {'A B': 'env:A'}}", '2:32 "A B" is not a variable\'s name.'],
  [
    'snapshot_isolation: {tests: [{name: "x\\n✓ 1 of 1 passed", run: y}]}',
    "tests[0].name must be a name of at most 100 characters on one line",
  ],
  ['snapshot_isolation: {tests: [{name: "x\\e[2K", run: y}]}', "on one line"],
  ['snapshot_isolation: {tests: [{name: "x\\u202e", run: y}]}', "on one line"],
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
  ...["./memory.db", "../memory.db", "data/../memory.db", ".git/config", "/.git/**", ".."].map((glob) => [
    `version_management: {artifacts: {state: {include: ["${glob}"]}}}`,
    "state.include[0] must be a glob as in .gitignore, without ./ and ../ and not in .git",
  ]),
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
  ["mode: isolated, allowed_hosts: [a.example, 10.1.2.3]", "10.1.2.3 is private, and the proxy leads to the public"],
  ["mode: isolated, allowed_hosts: ['127.0.0.1:8080']", "127.0.0.1:8080 is loopback"],
  ["mode: isolated, allowed_hosts: ['127.1']", "127.1 is no host that can be allowed"],
  ["allow_internet: true", "allow_internet has no meaning with network mode none"],
])("refuses the network {%s}", (network, expected) => {
  const [problem] = problemsOf(`agent_id: a\nsnapshot_isolation:\n  network: {${network}}`);
  expect(problem?.message).toContain(expected);
  expect(problem?.line).toBe(3);
});

test.each([".gitignore", ".github/**", "*..", "a..b/*", "...", "/data/*.db", "**/.env"])(
  "takes the glob %s",
  (glob) => {
    const text = `agent_id: a\nversion_management: {artifacts: {state: {include: ["${glob}"]}}}`;
    expect(parseAgentConfig(text, "kai.yaml").version_management.artifacts.state.include).toEqual([glob]);
  },
);

test("takes a public address, and tells the place of the list with one that is not", () => {
  const network = (host: string) =>
    `agent_id: a\nsnapshot_isolation:\n  network:\n    mode: isolated\n    allowed_hosts:\n      - ${host}`;
  expect(parseAgentConfig(network("93.184.216.34"), "kai.yaml").snapshot_isolation.network.allowed_hosts).toHaveLength(
    1,
  );
  expect(said(network("10.1.2.3"))[0]).toMatch(/^6:7 10\.1\.2\.3 is private/);
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

test("refuses what is not UTF-8, with its place", () => {
  const bytes = Buffer.concat([Buffer.from("agent_id: a\ndeploy: "), Buffer.from([0xff, 0x0a])]);
  expect(() => decodeConfig(bytes, "kai.yaml")).toThrowError("kai.yaml:2:9: The file is not UTF-8 here.");
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
