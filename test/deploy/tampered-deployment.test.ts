import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { readDeploymentStatus } from "../../src/deploy/deployment-status.js";
import { loadDeployment } from "../../src/deploy/load-deployment.js";
import { readAgentHistory } from "../../src/version/reading.js";
import { type Agent, agentWithVersions } from "../support/agent.js";

/** 1.1.0 is deployed, 1.0.0 was before; both may be written to, as their owner may. */
async function deployed(): Promise<{ agent: Agent; root: string; folder: string }> {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("kai.yaml", "agent_id: ai.example.clerk\ndeploy: {root: ../deployed}\n");
  for (const version of ["1.0.0", "1.1.0"]) expect((await agent.kai("deploy", version)).exit).toBe(0);
  const root = path.join(path.dirname(agent.dir), "deployed");
  const folder = path.join(root, "versions/v1.1.0");
  for (const each of [folder, path.join(root, "versions/v1.0.0")]) {
    for (const name of ["", "prompts", "tools"]) chmodSync(path.join(each, name), 0o755);
  }
  return { agent, root, folder };
}

const put = (folder: string, name: string, text: string) => {
  rmSync(path.join(folder, name), { force: true });
  writeFileSync(path.join(folder, name), text);
};

/** What is done to a folder, and what is named then. */
const CHANGES: Readonly<Record<string, readonly [(folder: string) => void, string]>> = {
  "a file changed": [(folder) => put(folder, "logic.py", "import evil\n"), "logic.py"],
  "a byte less": [(folder) => put(folder, "logic.py", 'print("answer of 1.1.0")'), "logic.py"],
  "a file added": [(folder) => put(folder, "tools/more.json", "{}\n"), "tools/more.json"],
  "a file removed": [(folder) => rmSync(path.join(folder, "prompts/system.md")), "prompts/system.md"],
  "an executable bit": [(folder) => chmodSync(path.join(folder, "logic.py"), 0o555), "logic.py"],
  "the captured state": [(folder) => put(folder, "state.json", "{}\n"), "state.json"],
  "snapshot_meta.json": [(folder) => put(folder, "snapshot_meta.json", "{}\n"), "snapshot_meta.json"],
  "the manifest": [(folder) => put(folder, "manifest.json", "{}\n"), ".kai-deployment.json"],
  "no seal": [(folder) => rmSync(path.join(folder, ".kai-deployment.json")), ".kai-deployment.json"],
  "a seal with a byte behind it": [
    (folder) => {
      chmodSync(path.join(folder, ".kai-deployment.json"), 0o644);
      appendFileSync(path.join(folder, ".kai-deployment.json"), "\n");
    },
    ".kai-deployment.json",
  ],
  "a link to the same bytes": [
    (folder) => {
      renameSync(path.join(folder, "logic.py"), path.join(folder, "../same"));
      symlinkSync("../../same", path.join(folder, "logic.py"));
    },
    "logic.py",
  ],
  "a link to a folder of the same files": [
    (folder) => {
      renameSync(path.join(folder, "prompts"), path.join(folder, "../prompts"));
      symlinkSync("../prompts", path.join(folder, "prompts"));
    },
    "prompts/system.md",
  ],
  "a folder in place of a file": [
    (folder) => {
      rmSync(path.join(folder, "logic.py"));
      mkdirSync(path.join(folder, "logic.py"));
    },
    "logic.py",
  ],
  "a FIFO": [
    (folder) => {
      rmSync(path.join(folder, "logic.py"));
      execFileSync("mkfifo", [path.join(folder, "logic.py")]);
    },
    "logic.py",
  ],
  "a hard link to another file": [
    (folder) => {
      writeFileSync(path.join(folder, "../evil"), "import evil\n");
      rmSync(path.join(folder, "logic.py"));
      linkSync(path.join(folder, "../evil"), path.join(folder, "logic.py"));
    },
    "logic.py",
  ],
};

test("whatever is changed in a deployment is E102 on load and by `status`, with the path", async () => {
  const { agent, root, folder } = await deployed();
  const whole = path.join(root, "whole");
  cpSync(folder, whole, { recursive: true, verbatimSymlinks: true });
  const status = async () => {
    const found = await readDeploymentStatus(await readAgentHistory(agent.dir, agent.env));
    return found?.problem?.code;
  };
  expect(await status()).toBeUndefined();
  for (const [what, [change, named]] of Object.entries(CHANGES)) {
    change(folder);
    const failure = await loadDeployment(path.join(root, "current")).catch((cause) => cause);
    expect([what, failure.code, failure.data?.paths], what).toEqual([what, "E102", expect.arrayContaining([named])]);
    expect([what, await status()]).toEqual([what, "E102"]);
    rmSync(folder, { recursive: true });
    cpSync(whole, folder, { recursive: true, verbatimSymlinks: true });
    for (const name of readdirSync(path.dirname(folder))) {
      if (!name.startsWith("v")) rmSync(path.join(path.dirname(folder), name), { recursive: true });
    }
  }
  expect((await loadDeployment(path.join(root, "current"))).version).toBe("1.1.0");
});

test("another version's folder under this one's name is told by `status`, and to who loads it by its version", async () => {
  const { agent, root, folder } = await deployed();
  rmSync(folder, { recursive: true });
  symlinkSync("v1.0.0", folder);
  expect((await loadDeployment(path.join(root, "current"))).version).toBe("1.0.0");
  expect((await agent.kai("status", "--json")).json().deployment.problem).toMatchObject({ code: "E102" });
  expect((await agent.kai("deploy", "1.1.0", "--json")).json().error.code).toBe("E102");
});

test("a file that has another name elsewhere is no other file, until it is changed by that", async () => {
  const { folder } = await deployed();
  linkSync(path.join(folder, "logic.py"), path.join(folder, "../elsewhere"));
  expect((await loadDeployment(folder)).version).toBe("1.1.0");
  chmodSync(path.join(folder, "../elsewhere"), 0o644);
  appendFileSync(path.join(folder, "../elsewhere"), "import evil\n");
  await expect(loadDeployment(folder)).rejects.toMatchObject({ code: "E102", data: { paths: ["logic.py"] } });
});

const sha256 = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;

test("a seal and a manifest that were made up and agree are refused for what they say, and for who signed them", async () => {
  const { agent, folder } = await deployed();
  const { armored } = (await agent.kai("key", "export", "--json")).json();
  const seal = JSON.parse(readFileSync(path.join(folder, ".kai-deployment.json"), "utf8"));
  const [, hash] = /"hash":"(sha256:[0-9a-f]{64})"/.exec(seal.record) ?? [];
  for (const manifest of [
    "null",
    '{"entities":[],"files":null,"format":"kai-manifest/1"}',
    '{"entities":[],"files":[["a"]],"format":"kai-manifest/1"}',
    '{"entities":[],"files":[[1,2,3]],"format":"kai-manifest/1"}',
    '{"entities":[],"files":[["../../../../etc/passwd","100644","00"]],"format":"kai-manifest/1"}',
    '{"entities":[],"files":[["/%zz","100644","00"],["a\\u0000b","100644","00"]],"format":"kai-manifest/1"}',
  ]) {
    const record = seal.record.replaceAll(hash, sha256(manifest));
    const tag = seal.tag.replace(hash, sha256(manifest)).replace(sha256(seal.record), sha256(record));
    put(folder, "manifest.json", manifest);
    put(folder, ".kai-deployment.json", `${JSON.stringify({ ...seal, record, tag })}\n`);
    await expect(loadDeployment(folder), manifest).rejects.toMatchObject({ code: "E102" });
    await expect(loadDeployment(folder, { keys: [armored] }), manifest).rejects.toMatchObject({ code: "E102" });
  }
});
