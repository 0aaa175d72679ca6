import { expect, test } from "vitest";
import { configSources } from "../../src/agent/config-sources.js";
import { parseAgentConfig } from "../../src/agent/parse-agent-config.js";
import { parse, problemsOf, said } from "./config-text.js";

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

test("a temp_dir in the home is written in full: nobody expands a ~", () => {
  expect(said("agent_id: a\nsnapshot_isolation: {temp_dir: ~/snapshots}")).toEqual([
    expect.stringContaining("a folder, written without ~"),
  ]);
});

test("reads the same from each form of the file", () => {
  const current = parse(CURRENT);
  expect(parse(`versioning_system:\n${indented(CURRENT)}`)).toEqual(current);
  expect(parse(AGENT_VERSIONING)).toEqual(current);
  expect(parse(AGENT_VERSIONING.replace(/^(agent_id.*)\n(agent_versioning:)/, "$2\n  $1"))).toEqual(current);
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

test("a text that is read again says the same, and what is broken is broken again, in its own file", () => {
  const text = "agent_id: ai.example.clerk\n";
  expect(parseAgentConfig(text, "b")).toEqual(parseAgentConfig(text, "a"));
  expect(parseAgentConfig("agent_id: ai.example.other\n", "a").agent_id).toBe("ai.example.other");
  for (const file of ["a", "b"]) expect(() => parseAgentConfig("agent_id: [1]\n", file)).toThrow(`${file}:1:11: `);
});
