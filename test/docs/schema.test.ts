import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { COMMANDS } from "../../src/cli/commands/index.js";
import { scratch } from "../support/scratch.js";

const ROOT = new URL("../../", import.meta.url).pathname;
const FOLDER = path.join(ROOT, "docs", "schema");
const PROGRAM = path.join(ROOT, "bin", "git-kai-version");

type Json = Record<string, unknown>;

const readSchema = (file: string): Json => JSON.parse(readFileSync(path.join(FOLDER, file), "utf8")) as Json;

/** The same schema, in which a key that it does not name is an error: so that none is printed and not described. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return "properties" in copy && copy["type"] === "object" ? { additionalProperties: false, ...copy } : copy;
}

function validator(change: (schema: unknown) => unknown) {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
  for (const file of readdirSync(FOLDER)) ajv.addSchema(change(readSchema(file)) as Json, file);
  return (name: string, document: unknown) => {
    ajv.validate(`${name}.json`, document);
    return ajv.errorsText(ajv.errors);
  };
}

/** An agent whose every change is committed, and the program run in it with --json. */
function session() {
  const { dir, env } = scratch();
  const git = (...args: string[]) => execFileSync("git", args, { cwd: dir, env });
  const kai = (...args: string[]): Json => {
    const dashes = args.indexOf("--");
    const argv = args.toSpliced(dashes < 0 ? args.length : dashes, 0, "--json");
    const run = spawnSync(process.execPath, [PROGRAM, ...argv], { cwd: dir, env, encoding: "utf8" });
    return JSON.parse(run.stdout) as Json;
  };
  git("init", "-q", "-b", "main");
  writeFileSync(path.join(dir, "logic.py"), "print('hello')\n");
  writeFileSync(path.join(dir, "state.json"), "{}\n");
  writeFileSync(path.join(dir, "requirements.txt"), "requests==2.31.0\n");
  git("add", "-A");
  git("commit", "-q", "-m", "feat: answer");
  git("tag", "v0.1.0");
  git("tag", "nightly");
  return { dir, git, kai };
}

const validate = validator((schema) => schema);
const validateClosed = validator(closed);

test("every command has a schema, and every schema is one of a command", () => {
  const expected = [...COMMANDS.map(({ name }) => name.replace(" ", "-")), "common", "error", "help", "version"];
  expect(readdirSync(FOLDER).sort()).toEqual(expected.map((name) => `${name}.json`).sort());
});

test("what the commands print with --json is what the schemas say, no key more and none less", {
  timeout: 240_000,
}, () => {
  const { dir, git, kai } = session();
  const print = (name: string, ...args: string[]) => {
    const document = kai(...name.split(" "), ...args);
    expect(validateClosed(name.replace(" ", "-"), document), `${name} ${args.join(" ")}`).toBe("No errors");
    return document;
  };
  print("init", "--dry-run");
  print("init", "--yes", "--agent-id", "ai.example.schema");
  print("init");
  appendFileSync(path.join(dir, "kai.yaml"), "snapshot_isolation:\n  base_images: host\n");
  git("commit", "-qam", "chore: use the host's programs");
  print("create", "--dry-run");
  print("create", "--as", "1.0.0", "--tag", "label");
  writeFileSync(path.join(dir, "requirements.txt"), "requests==2.32.0\nidna==3.7\n");
  writeFileSync(path.join(dir, "settings.json"), '{"a": 1}\n');
  git("add", "-A");
  git("commit", "-q", "-m", "feat(net)!: newer requests");
  print("next");
  print("status");
  print("create");
  writeFileSync(path.join(dir, "settings.json"), '{"a": [2]}\n');
  git("commit", "-qam", "fix: settings");
  writeFileSync(path.join(dir, "logic.py"), "print('changed')\n");
  print("status");
  print("list");
  print("show", "current");
  print("show", "0.1.0");
  print("current");
  print("compare", "1.0.0", "HEAD", "--patch");
  print("verify", "--all", "--deep");
  git("checkout", "-q", "--", "logic.py");
  print("promote", "1.0.0", "staging", "--stability", "beta", "--dry-run");
  print("promote", "1.0.0", "staging");
  print("deprecate", "1.0.0", "--reason", "there is a newer one");
  print("archive", "1.0.0");
  print("undo");
  print("promote", "1.0.0", "production");
  print("rollback", "1.0.0", "--dry-run");
  print("rollback", "1.0.0");
  print("undo", "--dry-run");
  print("undo");
  print("deploy", "1.0.0", "--to", "../deployed", "--dry-run");
  print("deploy", "1.0.0", "--to", "../deployed");
  print("undo");
  const config = path.join(dir, "kai.yaml");
  const helper = "version_management:\n  dependencies: {agents: {ai.example.other: ^1.0.0}}\n";
  writeFileSync(config, readFileSync(config, "utf8").replace("version_management:\n", helper));
  const trigger = '{on: [dependency, schedule, before-operation], schedule: "* * * * *"}';
  appendFileSync(config, `lifecycle: {trigger: ${trigger}}\n`);
  git("commit", "-qam", "feat: automatic versions");
  print("create");
  writeFileSync(path.join(dir, "logic.py"), "print('hello again')\n");
  git("commit", "-qam", "feat: hello again");
  print("rollback", "1.0.0", "--dry-run");
  print("deploy", "1.0.0", "--to", "../deployed");
  print("trigger run", "--dry-run");
  writeFileSync(path.join(dir, "requirements.txt"), "requests==2.33.0\n");
  git("commit", "-qam", "fix: newer requests");
  print("trigger run");
  print("show", "current");
  print("state list");
  print("state keep", "1.0.0");
  print("state forget", "1.0.0");
  print("verify", "1.0.0", "--deep");
  print("log");
  print("recover");
  print("config show", "--all");
  print("config validate");
  print("config schema");
  const exported = print("key export");
  print("key list");
  writeFileSync(path.join(dir, "key.asc"), String(exported["armored"]));
  print("key import", "key.asc");
  print("key generate", "--name", "CI", "--email", "ci@example.com", "--no-passphrase");
  print("completion", "fish");
  print("help");
  expect(validateClosed("version", kai("--version"))).toBe("No errors");
  print("doctor");
});

test("a run in a sandbox prints what its schema says", () => {
  const { dir, git, kai } = session();
  kai("init", "--yes");
  appendFileSync(
    path.join(dir, "kai.yaml"),
    "snapshot_isolation:\n  base_images: host\n  tests: [{name: answers, run: python3 logic.py, expect: {stdout: hello}}]\n",
  );
  git("commit", "-qam", "test: a scenario");
  kai("create", "--as", "1.0.0");
  expect(validateClosed("snapshot-test", kai("snapshot", "test", "1.0.0"))).toBe("No errors");
  expect(validateClosed("snapshot-test", kai("snapshot", "test", "1.0.0", "--", "sh", "-c", "echo x > new"))).toBe(
    "No errors",
  );
});

test("what is done with a snapshot prints what its schema says", () => {
  const { dir, git, kai } = session();
  kai("init", "--yes");
  appendFileSync(path.join(dir, "kai.yaml"), "snapshot_isolation:\n  base_images: host\n");
  git("commit", "-qam", "chore: use the host's programs");
  kai("create", "--as", "1.0.0");
  const print = (name: string, ...args: string[]) => {
    const document = kai("snapshot", name, ...args);
    expect(validateClosed(`snapshot-${name}`, document), `${name} ${JSON.stringify(document)}`).toBe("No errors");
    return String(document["id"]);
  };
  const id = print("create", "HEAD");
  kai("snapshot", "exec", id, "--", "sh", "-c", "echo new > new");
  print("shell", id);
  print("list");
  print("save", id);
  print("commit", id, "--version", "--dry-run");
  print("commit", id, "--version");
  print("show", id);
  print("destroy", id);
  print("list");
  print("show", id);
  print("prune", "--dry-run");
  print("destroy", id, "--saves");
});

test("errors print what their schema says", () => {
  const { dir, kai } = session();
  writeFileSync(path.join(dir, "kai.yaml"), "agent_id: ai.example\nunknown_key: 1\n");
  const documents = [kai("list"), kai("config", "show"), kai("show", "1.0.0"), kai("nonsense"), kai("show")];
  for (const document of documents) {
    expect(document).toHaveProperty("error.code");
    expect(validate("error", document), JSON.stringify(document)).toBe("No errors");
  }
});
