import { chmodSync, cpSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { loadDeployment } from "../../src/deploy/load-deployment.js";
import { type Agent, agentWithVersions } from "../support/agent.js";

async function deployed(agent: Agent, version = "1.0.0"): Promise<string> {
  const ran = await agent.kai("deploy", version, "--to", "../deployed", "--json");
  expect(ran.exit).toBe(0);
  return ran.json().path;
}

/** A copy of a deployment that may be written to, as a thief of it would have. */
function copyOf(folder: string): string {
  const copy = path.join(path.dirname(path.dirname(path.dirname(folder))), "copy");
  rmSync(copy, { recursive: true, force: true });
  cpSync(folder, copy, { recursive: true, verbatimSymlinks: true });
  for (const name of ["", "prompts", "tools"]) chmodSync(path.join(copy, name), 0o755);
  return copy;
}

const put = (folder: string, name: string, text: string) => {
  rmSync(path.join(folder, name), { force: true });
  writeFileSync(path.join(folder, name), text);
};

test("a deployment is loaded without its repository: version, configuration and state, proven by a key", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const folder = await deployed(agent);
  const exported = (await agent.kai("key", "export", "--json")).json();
  rmSync(agent.dir, { recursive: true });
  const now = new Date("2026-04-01T12:00:00Z");
  const current = path.join(path.dirname(folder), "../current");
  const loaded = await loadDeployment(current, { keys: [exported.armored], now: () => now });
  expect(loaded).toMatchObject({
    agentId: "ai.example.clerk",
    version: "1.0.0",
    folder,
    signedBy: exported.fingerprint,
    installed: [],
    submodules: [],
    verifiedAt: now,
  });
  expect(loaded.hash).toMatch(/^sha256:/);
  expect(loaded.config.agent_id).toBe("ai.example.clerk");
  expect(loaded.state?.files.map(({ path }) => path)).toEqual(["state.json"]);
  expect(String(await loaded.state?.files[0]?.read())).toBe('{"seen": "1.0.0"}\n');
  expect((await loadDeployment(folder)).signedBy).toBeNull();
});

test("a manifest or seal that was made to fit a changed file is found out", async () => {
  const folder = await deployed(await agentWithVersions("1.0.0"));
  const forgeries: Record<string, (folder: string) => void> = {
    manifest: (copy) =>
      put(copy, "manifest.json", readFileSync(path.join(copy, "manifest.json"), "utf8").replace("1006", "1007")),
    "no manifest": (copy) => unlinkSync(path.join(copy, "manifest.json")),
    "no seal": (copy) => unlinkSync(path.join(copy, ".kai-deployment.json")),
    "a seal of another record": (copy) => {
      const seal = JSON.parse(readFileSync(path.join(copy, ".kai-deployment.json"), "utf8"));
      put(
        copy,
        ".kai-deployment.json",
        `${JSON.stringify({ ...seal, record: seal.record.replace("1.0.0", "2.0.0") })}\n`,
      );
    },
    "a seal with a capture of its own": (copy) => {
      const seal = JSON.parse(readFileSync(path.join(copy, ".kai-deployment.json"), "utf8"));
      put(
        copy,
        ".kai-deployment.json",
        `${JSON.stringify({ ...seal, state: '{"files":[],"format":"kai-capture/1"}' })}\n`,
      );
    },
    "a seal that is no seal": (copy) => put(copy, ".kai-deployment.json", "null\n"),
  };
  for (const [what, forge] of Object.entries(forgeries)) {
    const copy = copyOf(folder);
    forge(copy);
    await expect(loadDeployment(copy), what).rejects.toMatchObject({ code: "E102" });
  }
});

test("a tag that nobody of those named signed proves nothing", async () => {
  const agent = await agentWithVersions("1.0.0");
  const folder = await deployed(agent);
  await agent.kai("key", "generate", "--name", "Eve", "--email", "eve@example.com", "--no-passphrase");
  const listed = (await agent.kai("key", "list", "--json")).json().keys;
  const eve = listed.find((key: { owner: string }) => key.owner.includes("Eve"));
  const armored = (await agent.kai("key", "export", eve.fingerprint, "--json")).json().armored;
  await expect(loadDeployment(folder, { keys: [armored] })).rejects.toMatchObject({ code: "E102" });
  await expect(loadDeployment(folder, { keys: [] })).rejects.toMatchObject({ code: "E102" });
  await expect(loadDeployment(`${folder}-not`)).rejects.toMatchObject({ code: "E123" });
});
