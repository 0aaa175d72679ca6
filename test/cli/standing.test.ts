import { expect, test } from "vitest";
import { told } from "../scenarios/place.js";
import { agentWithVersions } from "../support/agent.js";

async function clerk() {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0");
  await told(agent, "deprecate", "1.0.0", "--reason", "it forgets\nnames");
  await told(agent, "promote", "1.1.0", "production", "--stability", "stable");
  return agent;
}

test("list says where versions stand, and why one is given up", async () => {
  const agent = await clerk();
  const { stdout } = await agent.kai("list");
  expect(stdout).toMatch(/^\* {2}1\.2\.0 +auto +active /m);
  expect(stdout).toMatch(/^ {3}1\.1\.0 +auto +production \(stable\) /m);
  expect(stdout).toMatch(/^ {3}1\.0\.0 +auto +deprecated /m);
  expect(stdout).toContain("\n1.0.0 is deprecated: it forgets names\n");
  expect((await agent.kai("list", "--tree")).stdout).toContain("1.1.0  production (stable)  ");
  const { versions } = await told(agent, "list", "--status", "production");
  expect(versions).toMatchObject([{ version: "1.1.0", status: "production", standing: { stability: "stable" } }]);
  await told(agent, "deprecate", "1.2.0", "--reason", "it fails");
  await told(agent, "rollback", "1.1.0");
  expect((await agent.kai("list", "--status", "deprecated")).stdout).toMatch(/1\.2\.0 +auto +withdrawn, deprecated /);
});

test("show says where a version stands, since when, and who said what before", async () => {
  const agent = await clerk();
  const { operation } = await told(agent, "promote", "1.0.0", "testing");
  const { operations, ...shown } = await told(agent, "show", "1.0.0");
  expect(shown).toMatchObject({ status: "testing", standing: { status: "testing", reason: null }, withdrawn: false });
  const subjects = operations.map(({ subject }: { subject: string }) => subject);
  expect(subjects).toEqual(["create v1.0.0", "deprecate v1.0.0", "promote v1.0.0 to testing"]);
  expect(operations.at(-1)).toMatchObject({ id: operation, kind: "promote", actor: { email: "ada@example.com" } });
  const { stdout } = await agent.kai("show", "1.1.0");
  expect(stdout).toMatch(/^v1\.1\.0 {2}auto, production \(stable\)\n/);
  expect(stdout).toMatch(/\nstanding +production \(stable\), since 20/);
  expect(await told(agent, "show", "1.2.0")).toMatchObject({ status: "active", standing: null });
});

test("status says where the version in force stands", async () => {
  const agent = await clerk();
  expect((await agent.kai("status")).stdout).not.toContain("It is");
  expect(await told(agent, "status")).toMatchObject({ current: "1.2.0", standing: null });
  await told(agent, "deprecate", "current", "--reason", "it fails");
  expect((await agent.kai("status")).stdout).toContain("\nIt is deprecated: it fails.\n");
  expect(await told(agent, "status")).toMatchObject({ standing: { status: "deprecated", reason: "it fails" } });
});
