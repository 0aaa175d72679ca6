import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { loadDeployment } from "../../src/deploy/load-deployment.js";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { gnupg } from "../support/gnupg.js";

const SECRET = '{"password": "hunter2"}\n';
const LARGE = Buffer.alloc(17 * 2 ** 20, "hunter2 in something large\n");

/** 1.0.0 has these files in its tree, and its state is captured encrypted. */
async function agentWithSecrets(files: Readonly<Record<string, string>> = {}): Promise<Agent> {
  const agent = await agentWithVersions();
  agent.write(
    "kai.yaml",
    "agent_id: ai.example.clerk\nversion_management: {artifacts: {state: {include: [state.json, store/large], encrypt: true}}}\n",
  );
  agent.write(".gitignore", "/state.json\n/store/large\n");
  for (const [name, text] of Object.entries(files)) agent.write(name, text);
  agent.commit("feat: keep secrets");
  agent.write("state.json", SECRET);
  agent.write("store/large", LARGE);
  const created = await agent.kai("create", "--as", "1.0.0", "--json");
  expect(created.exit, String(created)).toBe(0);
  return agent;
}

const deploy = async (agent: Agent): Promise<string> => {
  const deployed = await agent.kai("deploy", "1.0.0", "--to", "../deployed", "--json");
  expect(deployed.exit, String(deployed)).toBe(0);
  return deployed.json().path;
};

/** The files below that hold what is secret. */
const betrayers = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => {
    const file = path.join(folder, name);
    return statSync(file).isFile() && readFileSync(file).includes("hunter2");
  });

test("state that is captured encrypted lies in the folder as the message that it is, checked like the rest", async () => {
  const agent = await agentWithSecrets();
  const folder = await deploy(agent);
  expect(readdirSync(folder)).toEqual(expect.arrayContaining(["state.json.pgp", "store"]));
  expect([existsSync(path.join(folder, "state.json")), betrayers(path.dirname(path.dirname(folder)))]).toEqual([
    false,
    [],
  ]);
  const { state } = await loadDeployment(folder);
  expect(state?.files).toMatchObject([
    { path: "state.json", size: SECRET.length, encrypted: true },
    { path: "store/large", size: LARGE.length, encrypted: true },
  ]);
  expect(await state?.files[0]?.read()).toEqual(readFileSync(path.join(folder, "state.json.pgp")));
  expect((await agent.kai("deploy", "1.0.0", "--to", "../deployed")).exit).toBe(0);
  chmodSync(path.join(folder, "state.json.pgp"), 0o644);
  writeFileSync(path.join(folder, "state.json.pgp"), readFileSync(path.join(folder, "store/large.pgp")));
  await expect(loadDeployment(folder)).rejects.toMatchObject({ code: "E102", data: { paths: ["state.json.pgp"] } });
});

test("the agent opens it with the encryption subkey alone, which signs nothing", async () => {
  const agent = await agentWithSecrets();
  const folder = await deploy(agent);
  const [owner, runner] = [gnupg(), gnupg()];
  owner.gpg(["--import"], (await agent.kai("key", "export", "--secret")).stdout);
  const colons = owner.gpg(["--with-colons", "--list-secret-keys"]).toString();
  const [, subkey = ""] = /^ssb:.*\n(?:.*\n)*?fpr:+([0-9A-F]{40}):/m.exec(colons) ?? [];
  runner.gpg(["--import"], owner.gpg(["--armor", "--export-secret-subkeys", `${subkey}!`]));
  for (const [name, content] of [
    ["state.json", Buffer.from(SECRET)],
    ["store/large", LARGE],
  ] as const) {
    const opened = path.join(runner.home, "opened");
    runner.gpg(["--output", opened, "--decrypt", path.join(folder, `${name}.pgp`)]);
    expect(readFileSync(opened).equals(content), name).toBe(true);
  }
  expect(() => runner.gpg(["--sign"], "a release\n")).toThrow();
});

test("a file of the version's own stays under its name; a folder there leaves no place", async () => {
  const own = await deploy(await agentWithSecrets({ "state.json.pgp": "mine\n" }));
  expect(readFileSync(path.join(own, "state.json.pgp"), "utf8")).toBe("mine\n");
  expect((await loadDeployment(own)).state?.files.map((file) => file.path)).toEqual(["store/large"]);
  const other = await agentWithSecrets({ "state.json.pgp/readme": "a folder\n" });
  const refused = await other.kai("deploy", "1.0.0", "--to", "../deployed", "--json");
  expect(refused.json().error).toMatchObject({ code: "E125", message: expect.stringContaining("state.json.pgp") });
});
