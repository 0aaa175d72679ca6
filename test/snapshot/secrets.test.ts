import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { placeAt } from "../scenarios/place.js";
import { baseImage } from "./base-image.js";
import { snapshotAgent } from "./snapshot-agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

const SECRET = "s3cr3t-of-the-user";

test("secrets are in the sandbox and nowhere else: masked in output, not in records, logs, runs or artifacts", async () => {
  const agent = await snapshotAgent({
    secrets: { FROM_FILE: "file:../secret", FROM_COMMAND: "command:printf %s-%s c0mmand secret" },
  });
  writeFileSync(path.join(agent.dir, "../secret"), `${SECRET}\n`);
  const { id } = await agent.made("create", "1.1.0");
  const script = 'echo "$FROM_FILE $FROM_COMMAND" | tee leaked.txt; echo fine > fine.txt';
  const ran = await agent.made("exec", id, "--", "sh", "-c", script);
  expect(ran.stdout).toBe("[secret] [secret]\n");
  const once = await agent.made("run", "1.1.0", "--", "sh", "-c", script);
  expect(once.stdout).toBe("[secret] [secret]\n");
  for (const shown of [
    await agent.snapshot("exec", id, "--", "sh", "-c", script),
    await agent.snapshot("run", "1.1.0", "--", "sh", "-c", script),
  ])
    expect(shown.stdout).toBe("[secret] [secret]\n");
  expect(agent.git("ls-tree", "-r", "--name-only", once.run)).toBe("artifacts/fine.txt\nstderr\nstdout");
  const held = await agent.run("grep", ["-rlE", `${SECRET}|c0mmand-secret`, path.join(agent.dir, ".git/kai")]);
  expect(String(held)).toBe("[exit 1]");
  expect(
    execFileSync("podman", ["inspect", `kai-${id.toLowerCase()}`], { env: agent.env, encoding: "utf8" }),
  ).not.toContain(SECRET);
});

test("what a run is given comes whole, and never was in Podman's database", async () => {
  const value = `${randomUUID()}\\n\\\\ "$HOME" 'x' %b \\c end\n\nlast\n\n`;
  const agent = await snapshotAgent({ secrets: { KEY: "command:cat ../secret", OTHER: "env:OTHER_KEY" } });
  writeFileSync(path.join(agent.dir, "../secret"), value);
  agent.env["OTHER_KEY"] = `other-${randomUUID()}`;
  // One line feed at the end is not of it. Encoded, as it would be masked otherwise.
  const script = "import os; print((os.environ['KEY'] + '|' + os.environ['OTHER']).encode().hex())";
  const given = Buffer.from(`${value.slice(0, -1)}|${agent.env["OTHER_KEY"]}`).toString("hex");
  for (const network of ["none", "isolated"]) {
    const ran = await agent.made("run", "--network", network, "1.1.0", "--", "python3", "-c", script);
    expect(ran.stdout.trim()).toBe(given);
  }
  const read = await agent.run("sh", [
    "-c",
    `printf 'in\\nput' | "$0" "$1" snapshot run 1.1.0 -- cat`,
    process.execPath,
    PROGRAM,
  ]);
  expect(read.stdout).toBe("in\nput");
  const root = execFileSync("podman", ["info", "--format", "{{.Store.GraphRoot}}"], {
    env: agent.env,
    encoding: "utf8",
  });
  const pattern = `${value.slice(0, 36)}|${agent.env["OTHER_KEY"]}`;
  const held = await agent.run("grep", ["-rlaE", pattern, path.join(root.trim(), "libpod")]);
  expect(String(held)).toBe("[exit 1]");
});

test("a secret in a file's name, in the command and in what is asked of the network is in no record either", async () => {
  const agent = await snapshotAgent({
    secrets: { KEY: "file:../secret" },
    network: { mode: "isolated", allowed_hosts: ["a.example"] },
  });
  writeFileSync(path.join(agent.dir, "../secret"), SECRET);
  const ask = `import os, urllib.request as u
try: u.urlopen("http://" + os.environ["KEY"] + ".b.example/")
except Exception: pass
open(os.environ["KEY"] + ".txt", "w").write("named")`;
  const ran = await agent.made("run", "1.1.0", "--", "sh", "-c", 'python3 -c "$0"', ask, SECRET);
  expect(ran).toMatchObject({
    artifacts: [{ path: "[secret].txt", notKept: "holds a secret" }],
    requests: [{ host: "[secret].b.example", allowed: false, reason: expect.not.stringContaining(SECRET) }],
  });
  expect(JSON.stringify(ran)).not.toContain(SECRET);
  expect(agent.git("log", "-p", "--format=raw", "refs/kai/runs")).not.toContain(SECRET);
  expect(agent.git("ls-tree", "-r", "--name-only", ran.run)).not.toContain(SECRET);
});

test("a file that holds a secret gets into no commit: not of a run, nor by save, commit or prune", async () => {
  const agent = await snapshotAgent({
    commit_changes: true,
    secrets: { FROM_FILE: "file:../secret", FROM_COMMAND: "command:printf %s-%s c0mmand $(cat ../kind)" },
  });
  writeFileSync(path.join(agent.dir, "../secret"), `${SECRET}\n`);
  writeFileSync(path.join(agent.dir, "../kind"), "secret");
  const leak = [
    'echo "$FROM_FILE" > leaked.txt; ln -s "$FROM_FILE" link; echo fine > fine.txt',
    // Across the border of what is read at once.
    'head -c 65530 /dev/zero | tr "\\0" a > large.txt; printf %s "$FROM_FILE" >> large.txt',
  ].join("; ");
  const refused = ["large.txt", "leaked.txt", "link"].map((name) => ({ path: name, reason: "holds a secret" }));
  const ran = await agent.made("run", "1.1.0", "--", "sh", "-c", `${leak}; echo "$FROM_COMMAND" > command.txt`);
  expect(ran).toMatchObject({
    refused: [{ path: "command.txt", reason: "holds a secret" }, ...refused],
    notCommitted: null,
  });
  expect(agent.git("diff", "--name-only", "v1.1.0", ran.branch)).toBe("fine.txt");
  const alone = await agent.made("run", "1.1.0", "--", "sh", "-c", 'echo "$FROM_FILE" > leaked.txt');
  expect(alone).toMatchObject({ refused: [refused[1]], branch: null, notCommitted: null });

  const late =
    'head -c 65530 /dev/zero > command.bin; printf "%s!" "$FROM_COMMAND" >> command.bin; ln -s "x$FROM_COMMAND" l';
  const all = [
    ...refused,
    { path: "command.bin", reason: "holds a secret" },
    { path: "l", reason: "holds a secret" },
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  const [{ id }, { id: dying }] = await Promise.all([agent.made("create", "1.1.0"), agent.made("create", "1.1.0")]);
  for (const each of [id, dying]) await agent.made("exec", each, "--", "sh", "-c", `${leak}; ${late}`);
  // What it was given is recognised, although its source says something else by now.
  writeFileSync(path.join(agent.dir, "../kind"), "another");
  expect(await agent.made("diff", id)).toMatchObject({ added: ["fine.txt"], refused: all });
  expect(await agent.made("save", id)).toMatchObject({ changed: ["fine.txt"], refused: all });
  expect(await agent.made("commit", id)).toMatchObject({ changed: [{ path: "fine.txt" }], refused: all });

  execFileSync("podman", ["kill", `kai-${dying.toLowerCase()}`], { env: agent.env });
  const { pruned } = await agent.made("prune", "--all");
  expect(pruned).toContainEqual(expect.objectContaining({ id: dying, kept: expect.any(String) }));
  const objects = execFileSync("git", ["cat-file", "--batch-all-objects", "--batch"], {
    cwd: agent.dir,
    env: agent.env,
    maxBuffer: 1 << 28,
  });
  expect(objects.includes(SECRET)).toBe(false);
  expect(objects.includes("c0mmand-secret")).toBe(false);
});

test("what is refused is told by a name without the secret in it, also where its value is not at hand any more", async () => {
  const agent = await snapshotAgent({ secrets: { KEY: "file:../key" } });
  const file = path.join(agent.dir, "../key");
  writeFileSync(file, SECRET);
  const { id } = await agent.made("create", "1.1.0");
  const script = 'touch "a-$KEY-$KEY.txt"; mkfifo "$KEY"; mkdir "in $KEY"; touch "in $KEY/file"; echo fine > fine.txt';
  await agent.made("exec", id, "--", "sh", "-c", script);
  const refused = ["[secret]", "a-[secret]-[secret].txt", "in [secret]/file"];
  for (const value of [SECRET, "another value"]) {
    writeFileSync(file, value);
    for (const command of ["diff", "save"]) {
      const done = await agent.made(command, id);
      expect(done.refused.map((each: { path: string }) => each.path).sort()).toEqual(refused);
      expect(JSON.stringify(done)).not.toContain(SECRET);
    }
  }
  const place = path.join(agent.dir, ".git/kai/snapshots", id, "record.json");
  const record = JSON.parse(readFileSync(place, "utf8"));
  writeFileSync(place, JSON.stringify({ ...record, expiresAt: record.createdAt }));
  for (const options of [["--dry-run"], []]) {
    const [gone] = (await agent.made("prune", ...options)).pruned;
    expect(gone.refused.map((each: { path: string }) => each.path).sort()).toEqual(refused);
    expect(JSON.stringify(gone)).not.toContain(SECRET);
  }
});

test("a line of a secret with several is one: masked behind a prefix, and in no file that is kept or committed", async () => {
  const agent = await snapshotAgent({ secrets: { KEY: "file:../key" } });
  const line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC";
  writeFileSync(path.join(agent.dir, "../key"), `-----BEGIN KEY-----\n${line}\n-----END KEY-----\n`);
  const script = 'echo "$KEY" | sed "s/^/INFO: /"; echo "$KEY" | sed -n 2p > line.txt; echo fine > fine.txt';
  const ran = await agent.made("run", "1.1.0", "--", "sh", "-c", script);
  expect(ran.stdout).toBe("INFO: -----BEGIN KEY-----\nINFO: [secret]\nINFO: -----END KEY-----\n");
  expect(agent.git("ls-tree", "-r", "--name-only", ran.run)).toBe("artifacts/fine.txt\nstderr\nstdout");
  const { id } = await agent.made("create", "1.1.0");
  await agent.made("exec", id, "--", "sh", "-c", script);
  // By the marks alone.
  writeFileSync(path.join(agent.dir, "../key"), "another");
  expect((await agent.made("commit", id)).refused).toEqual([{ path: "line.txt", reason: "holds a secret" }]);
});

test("a file of the caller's home is named as a shell has it", async () => {
  const agent = await snapshotAgent({ secrets: { TOKEN: "file:~/.tokens/a" } });
  const folder = path.join(agent.env["HOME"] ?? "", ".tokens");
  mkdirSync(folder);
  writeFileSync(path.join(folder, "a"), "from-home\n");
  const once = await agent.made("run", "1.1.0", "--", "sh", "-c", 'echo "$TOKEN" | cut -c 1-4');
  expect(once.stdout).toBe("from\n");
});

test("the caller says where a secret comes from, and of kai.yaml's only the named ones are given", async () => {
  const agent = await snapshotAgent({ secrets: { A: "command:echo from-a", B: "command:echo from-b" } });
  const show = [
    "--",
    "sh",
    "-c",
    'for name in A B C; do printenv $name || echo none; done | sed s/from-// | paste -sd " "',
  ];
  expect((await agent.snapshot("run", "1.1.0", "--secret", "B", ...show)).stdout).toBe("none b none\n");
  expect(await agent.refused("run", "1.1.0", "--secret", "C=env:NOT_SET", "--", "true")).toMatchObject({
    code: "E123",
  });
});

test("what another version names of this machine is not given where nobody trusts who signed it", async () => {
  const agent = await snapshotAgent({ secrets: { KEY: "file:../secret" } });
  writeFileSync(path.join(agent.dir, "../secret"), SECRET);
  const folder = path.join(path.dirname(agent.dir), "clone");
  agent.git("clone", "--quiet", agent.dir, folder);
  const home = path.join(path.dirname(agent.dir), "another-home");
  const { kai } = placeAt(folder, { ...agent.env, HOME: home, KAI_HOME: path.join(home, "kai") });
  expect(String(await kai("init", "--yes"))).toContain("[exit 0]");
  const ran = await kai("snapshot", "run", "1.1.0", "--trust-config", "--json", "--", "true");
  const message =
    "The secrets that the kai.yaml of v1.1.0 names are not given: this clone took its trust root as it came";
  expect(ran.json().error).toMatchObject({ code: "E112", message: expect.stringContaining(message) });
  const given = ["--trust-config", "--secret", "KEY=file:/dev/null"];
  expect((await kai("snapshot", "run", "1.1.0", ...given, "--", "true")).exit).toBe(0);
});

test("where the secrets of a kept snapshot are not given, the way out is one that there is", async () => {
  const agent = await snapshotAgent({ secrets: { KEY: "file:../secret" } });
  writeFileSync(path.join(agent.dir, "../secret"), SECRET);
  agent.write("other.txt", "nobody has signed for this\n");
  agent.commit("feat: another");
  const { id } = await agent.made("create", "HEAD", "--secret", "KEY=file:../secret");
  await agent.made("exec", id, "--", "touch", "new.txt");
  await agent.made("save", id);
  const save = `refs/kai/snapshots/${id}`;
  const again = await agent.made("create", save);
  const { code, hint } = await agent.refused("exec", again.id, "--", "true");
  const [, from = ""] = /`git kai-version snapshot create (\S+) --secret NAME=env:VARIABLE`/.exec(hint) ?? [];
  expect([code, agent.git("rev-parse", from)]).toEqual(["E112", agent.git("rev-parse", save)]);
  const told = await agent.made("create", from, "--secret", "KEY=file:../secret");
  expect(await agent.made("exec", told.id, "--", "ls", "new.txt")).toMatchObject({ exitCode: 0 });
});

test("a shell of the sandbox that gives a secret away instead of beginning a command is quoted without it", async () => {
  const { name } = await baseImage({ sh: '#!/bin/busybox sh\necho "gave $KEY away" >&2\nexit 1\n' }, ["sh"]);
  const agent = await snapshotAgent({ secrets: { KEY: "file:../secret" } });
  writeFileSync(path.join(agent.dir, "../secret"), SECRET);
  const { id } = await agent.made("create", "1.1.0", "--image", name);
  // By podman, which alone knows another user's groups; by the runtime it is a command's own output.
  const refused = await agent.refused("exec", id, "--user", "1000:1000", "--", "true");
  expect(refused).toMatchObject({
    code: "E103",
    message: expect.stringMatching(/could not begin in the sandbox: gave .* away$/),
  });
  const { stdout, stderr } = await agent.snapshot("exec", id, "--", "true");
  for (const text of [JSON.stringify(refused), stdout, stderr]) expect(text).not.toContain(SECRET);
});
