import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { observe } from "../operation/observe.js";
import { placeAt, readEverything, refsOf, refused, told } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";

/** Ways in which a kai.yaml breaks; the text of the good one is `yaml`. */
const BROKEN: Readonly<Record<string, (yaml: string) => string | Buffer>> = {
  "an unknown key": (yaml) => `${yaml}surprise: 1\n`,
  "no YAML": (yaml) => `${yaml}lifecycle: [\n`,
  "no UTF-8": () => Buffer.from([0x61, 0xff, 0x0a]),
};

const yamlOf = ({ dir }: Agent): string => readFileSync(path.join(dir, "kai.yaml"), "utf8");

/** An agent whose branch has two versions and a broken kai.yaml on top, committed. */
async function brokenAgent(kind = "an unknown key"): Promise<Agent> {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("kai.yaml", BROKEN[kind]?.(yamlOf(agent)) ?? "");
  agent.commit("chore: break it");
  return agent;
}

const WAY_BACK = "git checkout v1.1.0 -- kai.yaml";

test.for(Object.keys(BROKEN))(
  "a rollback leads away from a broken kai.yaml that is committed, and undo back: %s",
  async (kind) => {
    const agent = await brokenAgent(kind);
    const before = observe(agent);
    for (const way of [["1.0.0"], ["1.0.0", "--type", "emergency"], ["current"], ["1.1.0", "--path", "kai.yaml"]]) {
      const ran = await agent.kai("rollback", ...way);
      expect(ran.exit, String(ran)).toBe(0);
      expect(ran.stderr).toMatch(/^Warning: kai\.yaml:.*\. That of v1\.1\.0 is in effect instead\./);
      expect(yamlOf(agent)).toBe(`${agent.git("show", "v1.1.0:kai.yaml")}\n`);
      expect((await agent.kai("status")).stderr).toBe("");
      await told(agent, "undo");
      expect(observe(agent).files, way.join(" ")).toEqual(before.files);
    }
    // What is undone is undone again, from the broken one.
    await told(agent, "undo");
    expect(yamlOf(agent)).toBe(`${agent.git("show", "v1.1.0:kai.yaml")}\n`);
  },
);

test("what reads goes by the kai.yaml of the version in force, and says so; what needs the agent's own names the way back, which works", async () => {
  const agent = await brokenAgent();
  await readEverything(agent);
  for (const args of [["recover"], ["state", "list"], ["rollback", "--suggest"]]) await told(agent, ...args);
  for (const args of [["status"], ["log"], ["list"], ["show", "current"], ["verify"]]) {
    expect((await agent.kai(...args)).stderr, args.join(" ")).toBe(
      'Warning: kai.yaml:5:1: Unknown key "surprise". That of v1.1.0 is in effect instead. `git checkout v1.1.0 -- kai.yaml` brings it back.\n',
    );
  }
  for (const args of [["create"], ["next"], ["compare", "1.0.0", "1.1.0"], ["state", "keep", "1.0.0"]]) {
    const error = await refused(agent, ...args);
    expect(error, args.join(" ")).toMatchObject({ code: "E106", hint: expect.stringContaining(`\`${WAY_BACK}\``) });
  }
  agent.git(...WAY_BACK.split(" ").slice(1));
  agent.commit("fix: kai.yaml");
  expect(await told(agent, "create", "--allow-unchanged")).toMatchObject({ version: "1.1.1" });
});

test("a broken kai.yaml that is not committed is a dirty file: refused, and with --force saved", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const broken = `${yamlOf(agent)}surprise: 1\n`;
  agent.write("kai.yaml", broken);
  expect(await refused(agent, "rollback", "1.0.0")).toMatchObject({ code: "E102" });
  expect(yamlOf(agent)).toBe(broken);
  const { backup } = await told(agent, "rollback", "1.0.0", "--force");
  expect(`${agent.git("show", `${backup}:kai.yaml`)}\n`).toBe(broken);
  expect((await agent.kai("status")).stderr).toBe("");
});

test("no version is made of a broken kai.yaml where a part goes back, unless forced", async () => {
  const agent = await brokenAgent();
  const before = refsOf(agent);
  const error = await refused(agent, "rollback", "1.0.0", "--component", "prompts");
  expect(error).toMatchObject({ code: "E125", hint: expect.stringContaining("rollback 1.0.0 --path kai.yaml") });
  expect(refsOf(agent)).toBe(before);
  await told(agent, "rollback", "1.0.0", "--component", "prompts", "--force");
  // Nor is that of the version in force any that commands could go by: the newest that can be read is.
  expect((await agent.kai("status")).stderr).toContain("That of v1.1.0 is in effect instead.");
  await told(agent, "rollback", "1.1.0", "--force");
  expect((await agent.kai("status")).stderr).toBe("");
});

test("a clone of an agent whose kai.yaml is broken is adopted, told so, and goes back", async () => {
  const agent = await brokenAgent();
  const place = placeAt(path.join(path.dirname(agent.dir), "clone"), agent.env);
  agent.git("clone", "-q", agent.dir, place.dir);
  const problem = 'kai.yaml:5:1: Unknown key "surprise".';
  expect((await place.kai("init")).stdout).toContain(`Its kai.yaml is broken (${problem}): \`${WAY_BACK}\``);
  expect(await told(place, "init")).toMatchObject({ outcome: "present", configFrom: "v1.1.0", configProblem: problem });
  expect((await place.kai("init")).stdout).toContain(`is an agent already, but its kai.yaml is broken (${problem})`);
  await told(place, "rollback", "1.0.0");
  expect(await told(place, "init")).toMatchObject({ outcome: "present", configFrom: null, configProblem: null });
});

test("before the first version there is no way back to name, nor in a bare repository one by a checkout", async () => {
  const agent = await agentWithVersions();
  agent.write("kai.yaml", "surprise: 1\n");
  agent.commit("chore: break it");
  expect((await refused(agent, "status")).hint).not.toContain("git checkout");
  const whole = await agentWithVersions("1.0.0", "1.1.0");
  const bare = path.join(path.dirname(whole.dir), "bare.git");
  whole.git("clone", "-q", "--mirror", whole.dir, bare);
  const place = placeAt(bare, whole.env);
  await told(place, "init");
  whole.write("kai.yaml", `${yamlOf(whole)}surprise: 1\n`);
  whole.commit("chore: break it");
  whole.git("push", "-q", bare, "main");
  expect((await place.kai("status")).stderr).toBe(
    'Warning: kai.yaml:5:1: Unknown key "surprise". That of v1.1.0 is in effect instead.\n',
  );
});
