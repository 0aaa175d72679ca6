import { mkdirSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { agentWithVersions } from "../support/agent.js";

test("undo takes a deployment back, and undo of that", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const root = path.join(path.dirname(agent.dir), "deployed");
  const link = () => readlinkSync(path.join(root, "current"));
  for (const version of ["1.0.0", "1.1.0"]) {
    expect((await agent.kai("deploy", version, "--to", root)).exit).toBe(0);
  }
  const undone = await agent.kai("undo", "--json");
  expect(undone.json()).toMatchObject({
    undone: { kind: "deploy" },
    deployment: { version: "1.0.0", previous: "1.1.0" },
  });
  expect(link()).toBe("versions/v1.0.0");
  expect((await agent.kai("undo")).exit).toBe(0);
  expect(link()).toBe("versions/v1.1.0");
  const [first] = (await agent.kai("log", "--kind", "deploy", "--json")).json().operations.slice(-1);
  expect((await agent.kai("undo", first.id, "--json")).json().error.code).toBe("E125");
  expect(link()).toBe("versions/v1.1.0");
});

test("a link that was none of ours before is not led back to", async () => {
  const agent = await agentWithVersions("1.0.0");
  const root = path.join(path.dirname(agent.dir), "deployed");
  mkdirSync(path.join(root, "releases/7"), { recursive: true });
  symlinkSync("releases/7", path.join(root, "current"));
  expect((await agent.kai("deploy", "1.0.0", "--to", root)).exit).toBe(0);
  const refused = await agent.kai("undo", "--json");
  expect([refused.exit, refused.json().error]).toMatchObject([
    1,
    { code: "E125", message: expect.stringContaining("releases/7") },
  ]);
  expect(readlinkSync(path.join(root, "current"))).toBe("versions/v1.0.0");
});

test("what somebody else did to the link or the root in the meantime refuses an undo", async () => {
  const agent = await agentWithVersions("1.0.0");
  const root = path.join(path.dirname(agent.dir), "deployed");
  const current = path.join(root, "current");
  expect((await agent.kai("deploy", "1.0.0", "--to", root)).exit).toBe(0);
  const undo = async () => (await agent.kai("undo", "--json")).json().error?.code;
  rmSync(current);
  expect(await undo()).toBe("E125");
  symlinkSync("elsewhere", current);
  expect(await undo()).toBe("E125");
  rmSync(current);
  mkdirSync(current);
  expect(await undo()).toBe("E125");
  rmSync(root, { recursive: true });
  expect(await undo()).toBe("E125");
});
