import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { processesOfBuild } from "../../src/podman/build-processes.js";
import { findLocalImages } from "../../src/podman/local-image.js";
import { baseImage, imagesWith, leftOfBuilds, tagsWith, triggeringImage } from "./base-image.js";
import { NOTHING_LEFT, type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

/** Keeps what it was asked and what it was to install, and a number that no second run has. */
const PIP = 'echo "$@" > /etc/asked; cp -r . /etc/given; od -An -tx1 -N8 /dev/urandom > /etc/made';
const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));
const NAME = "localhost/kai-agent-ai.example.clerk";

async function version(agent: SnapshotAgent, number: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) agent.write(name, text);
  agent.commit(`feat: what ${number} brings`);
  const created = await agent.kai("create", "--as", number);
  expect(created.exit, String(created)).toBe(0);
}

const printed = async (agent: SnapshotAgent, number: string, ...command: string[]): Promise<string> =>
  (await agent.made("run", number, "--", ...command)).stdout;

test("what a version's requirements ask for is in the image that it runs in, built once for all versions that ask for it", async () => {
  const base = await baseImage({ pip: PIP });
  const files = { "requirements.txt": "-r more/base.txt\n-c limits.txt\nleft-pad==1.0\n" };
  const included = { "more/base.txt": "a==1\n", "limits.txt": "b<2\n", "more/other.txt": "c==1\n" };
  const agent = await snapshotAgent({ base_images: { python: base.name } }, { ...files, ...included });
  const seen = await printed(
    agent,
    "1.1.0",
    "sh",
    "-c",
    "cat /etc/asked; cd /etc/given; cat requirements.txt; ls * more",
  );
  expect(seen).toBe(
    `install --no-cache-dir --no-input --retries 1 -r requirements.txt\n${files["requirements.txt"]}` +
      "limits.txt\nrequirements.txt\n\nmore:\nbase.txt\n\nmore:\nbase.txt\n",
  );
  const made = await printed(agent, "1.1.0", "cat", "/etc/made");
  expect(await printed(agent, "1.1.0", "cat", "/etc/made")).toBe(made);

  await version(agent, "1.2.0", { "logic.py": "print('another')\n" });
  expect(await printed(agent, "1.2.0", "cat", "/etc/made")).toBe(made);
  const [id = ""] = imagesWith(agent.env, `io.kai.base=${base.reference}`);
  expect(tagsWith(agent.env, `io.kai.base=${base.reference}`)).toEqual([`${NAME}:1.1.0`, `${NAME}:1.2.0`]);

  const message = agent.git("log", "-1", "--format=%b", "refs/kai/runs");
  expect(JSON.parse(message).isolation).toMatchObject({ image: id, imageBase: base.reference });

  await version(agent, "1.3.0", { "limits.txt": "b<3\n" });
  expect(await printed(agent, "1.3.0", "cat", "/etc/made")).not.toBe(made);
  expect(leftOfBuilds(base.name)).toEqual({ processes: [], containers: [] });
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test("npm's lock file is installed without scripts, where Node finds it from /app", async () => {
  const npm =
    '[ $1 = ci ] || exit 0; echo "$@" > /etc/asked; ls > /etc/given; mkdir -p node_modules/dep; echo made > node_modules/dep/index.js';
  const base = await baseImage({ npm, node: 'echo "$1 $2" >> /etc/asked' });
  const files = { "package.json": '{"name":"clerk","scripts":{"postinstall":"x"}}', "package-lock.json": "{}" };
  const scripts = { "index.js": "1", "more.js": "2", "third.js": "3" };
  const agent = await snapshotAgent({ base_images: { node: base.name } }, { ...files, ...scripts });
  const seen = await printed(
    agent,
    "1.1.0",
    "sh",
    "-c",
    "cat /node_modules/dep/index.js /etc/given /etc/asked; ls /app",
  );
  expect(seen).toContain("made\ninstalled.cjs\npackage-lock.json\npackage.json\nci --ignore-scripts --no-audit");
  expect(seen).toContain("\ninstalled.cjs /bin/npm\n");
  expect(seen).toContain("more.js");
});

test("without lock files, and where the caller names an image, that image is used as it is", async () => {
  const base = await baseImage({ pip: "exit 1" });
  const agent = await snapshotAgent({ base_images: { custom: base.name } });
  const [{ id } = { id: "" }] = await findLocalImages([base.name], agent.env);
  const { isolation } = await agent.made("create", "1.1.0");
  expect(isolation).toMatchObject({ image: id, imageBase: base.reference });
  await version(agent, "1.2.0", { "requirements.txt": "left-pad==1.0\n" });
  expect((await agent.made("run", "1.2.0", "--image", base.name, "--", "cat", "/etc/name")).stdout).toBe(base.name);
  expect(imagesWith(agent.env, `io.kai.base=${base.reference}`)).toEqual([]);
});

test("an image that is not here is E103 with both ways out, and no registry is asked", async () => {
  const agent = await snapshotAgent({ base_images: { python: "registry.invalid/nobody/python:0" } });
  expect(await agent.refused("run", "1.1.0", "--", "true")).toMatchObject({
    code: "E103",
    message: "The base image registry.invalid/nobody/python:0 is not on this machine.",
    hint: expect.stringContaining("base_images: {python: host}"),
  });
});

test("a build that fails is E103 with its last words and what would let it through, and leaves nothing", async () => {
  const base = await baseImage({ pip: "printf '\\033[31mno matching distribution\\n' >&2; exit 1" });
  const agent = await snapshotAgent({ base_images: { python: base.name } }, { "requirements.txt": "left-pad==1.0\n" });
  expect(await agent.refused("run", "1.1.0", "--", "true")).toMatchObject({
    code: "E103",
    message: "The image of 1.1.0 could not be built: no matching distribution",
    hint: expect.stringContaining("--network isolated --allow-host pypi.org --allow-host files.pythonhosted.org"),
    output: expect.arrayContaining([expect.stringContaining("no matching distribution")]),
  });
  expect(agent.left()).toEqual(NOTHING_LEFT);
  expect(leftOfBuilds(base.name)).toEqual({ processes: [], containers: [] });
  expect(imagesWith(agent.env, `io.kai.base=${base.reference}`)).toEqual([]);
});

test("a build sees no file, variable or network of this machine, and has few rights", async () => {
  const look = [
    "env | cut -d= -f1 | sort > /etc/seen-env",
    "ip -o addr | grep -v ' lo ' > /etc/seen-net || true",
    "grep -E '^(CapEff|Seccomp):' /proc/self/status > /etc/seen-rights",
    "cat /proc/self/mountinfo > /etc/seen-mounts",
  ];
  const base = await baseImage({ pip: look.join("\n") });
  const agent = await snapshotAgent({ base_images: { python: base.name } }, { "requirements.txt": "x==1\n" });
  const run = (env: NodeJS.ProcessEnv, ...command: string[]) =>
    agent.run(PROGRAM, ["snapshot", "run", "1.1.0", "--json", "--", ...command], { ...agent.env, ...env });
  const secrets = { KAI_KEY_PASSPHRASE: "hush", HTTPS_PROXY: "http://user:hush@proxy.example", GITHUB_TOKEN: "hush" };
  const seen = (await run(secrets, "sh", "-c", "cat /etc/seen-env; cat /etc/seen-net; cat /etc/seen-rights")).json();
  expect(seen.stdout).toBe(
    `${["HOME", "HOSTNAME", "PATH", "PIP_BREAK_SYSTEM_PACKAGES", "PIP_ROOT_USER_ACTION", "PWD", "SHLVL"].join("\n")}\n` +
      "CapEff:\t00000000000000db\nSeccomp:\t2\n",
  );
  const mounts = await printed(agent, "1.1.0", "cat", "/etc/seen-mounts");
  const ofHost = mounts.split("\n").filter((line) => / ext4 | xfs | btrfs /.test(line));
  expect(ofHost.map((line) => line.split(" ")[4])).toEqual(expect.arrayContaining(["/etc/hostname"]));
  for (const line of ofHost)
    expect(line.split(" ")[4]).toMatch(/^\/(?:etc\/(?:hostname|hosts|resolv\.conf)|run\/\.containerenv)$/);
});

test("a build is held by the sandbox's limits of memory, processes and files, and goes on", async () => {
  const attacks = [
    "(tail /dev/zero) || echo memory >> /etc/held",
    "(i=0; while [ $i -lt 99 ]; do sleep 1 & i=$((i+1)); done) || echo processes >> /etc/held",
    "sleep 2",
    "head -c 50000000 /dev/zero > /etc/big || echo file >> /etc/held",
  ];
  const base = await baseImage({ pip: attacks.join("\n") });
  const agent = await snapshotAgent({ base_images: { python: base.name } }, { "requirements.txt": "x==1\n" });
  const { stdout } = await agent.made("run", "1.1.0", "--pids", "32", "--", "cat", "/etc/held");
  expect(stdout).toBe("memory\nprocesses\nfile\n");
});

test("a build that takes too long is ended, with all that it started", async () => {
  const base = await baseImage({ pip: "trap '' TERM INT; sleep 7001 & sleep 7001" });
  const agent = await snapshotAgent({ base_images: { python: base.name } }, { "requirements.txt": "x==1\n" });
  expect(await agent.refused("run", "1.1.0", "--timeout", "2s", "--", "true")).toMatchObject({
    message: "The image of 1.1.0 could not be built: it took longer than 2 s",
    hint: expect.stringContaining("--timeout"),
  });
  expect(leftOfBuilds(base.name, "7001")).toEqual({ processes: [], containers: [] });
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test.each([
  ["Ctrl-C", "SIGINT", "7002"],
  ["being killed, and prune", "SIGKILL", "7003"],
] as const)("%s ends a build, and nothing of it is left", async (_, signal, seconds) => {
  const base = await baseImage({ pip: `trap '' TERM INT; sleep ${seconds} & sleep ${seconds}` });
  const agent = await snapshotAgent({ base_images: { python: base.name } }, { "requirements.txt": "x==1\n" });
  const { dir: cwd, env } = agent;
  const command = [PROGRAM, "snapshot", "run", "1.1.0", "--", "true"];
  const program = spawn(process.execPath, command, { cwd, env, stdio: "ignore" });
  const ended = once(program, "exit");
  await expect.poll(() => leftOfBuilds(base.name, seconds).processes, { timeout: 30_000 }).toHaveLength(2);
  program.kill(signal);
  await ended;
  if (signal === "SIGKILL") await agent.made("prune");
  await expect.poll(() => leftOfBuilds(base.name, seconds)).toEqual({ processes: [], containers: [] });
  expect(agent.left()).toEqual(NOTHING_LEFT);
  expect(imagesWith(env, `io.kai.base=${base.reference}`)).toEqual([]);
});

test.each([
  ["passwd", "clerk"],
  ["group", "root:clerks"],
])("a build that waits at a FIFO for /etc/%s is ended", async (name, user) => {
  const base = await baseImage();
  const made = `RUN rm -f /etc/${name} && busybox mkfifo /etc/${name}`;
  const Containerfile = [`FROM ${base.name}`, made, `USER ${user}`, "RUN true"].join("\n");
  const agent = await snapshotAgent({ base_images: { python: base.name } }, { Containerfile });
  expect(await agent.refused("run", "1.1.0", "--timeout", "2s", "--", "true")).toMatchObject({
    code: "E103",
    message: "The image of 1.1.0 could not be built: it took longer than 2 s",
  });
  expect(leftOfBuilds(base.name)).toEqual({ processes: [], containers: [] });
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test.each([
  ["Ctrl-C ends a build whose podman hangs", "SIGSTOP", "SIGINT", "7004"],
  ["prune takes away what a podman that was killed left of a build", "SIGKILL", "SIGKILL", "7005"],
] as const)("%s", async (_, toPodman, toProgram, seconds) => {
  const base = await baseImage({ pip: `sleep ${seconds}` });
  const agent = await snapshotAgent({ base_images: { python: base.name } }, { "requirements.txt": "x==1\n" });
  const { dir: cwd, env, tempDir } = agent;
  const program = spawn(process.execPath, [PROGRAM, "snapshot", "run", "1.1.0", "--", "true"], {
    cwd,
    env,
    stdio: "ignore",
  });
  const ended = once(program, "exit");
  await expect.poll(() => leftOfBuilds(base.name, seconds).processes, { timeout: 30_000 }).toHaveLength(1);
  const [folder = ""] = agent.left().folders;
  const { podman } = await processesOfBuild(path.join(tempDir, folder, "tmp"));
  expect(podman.length).toBeGreaterThan(0);
  if (toProgram === "SIGKILL") program.kill(toProgram);
  for (const pid of podman) process.kill(pid, toPodman);
  program.kill(toProgram);
  await ended;
  if (toProgram === "SIGKILL") await agent.made("prune");
  await expect.poll(() => leftOfBuilds(base.name, seconds)).toEqual({ processes: [], containers: [] });
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test("with a list of hosts a build asks the sandbox's proxy, and is told which it asked for in vain", async () => {
  const pip = "env | grep -c _proxy= > /etc/proxies; wget -q -O /etc/page http://packages.example/ || exit 1";
  const base = await baseImage({ pip });
  const network = { mode: "isolated", allowed_hosts: ["other.example"] };
  const agent = await snapshotAgent({ base_images: { python: base.name }, network }, { "requirements.txt": "x==1\n" });
  expect(await agent.refused("run", "1.1.0", "--", "true")).toMatchObject({
    code: "E103",
    refused: ["packages.example"],
    hint: expect.stringContaining("--network isolated --allow-host packages.example"),
  });
  expect(agent.left()).toEqual(NOTHING_LEFT);
  expect(leftOfBuilds(base.name)).toEqual({ processes: [], containers: [] });
});

test("on a bridge a build has a bridge of its own, which is gone afterwards", async () => {
  const base = await baseImage({ pip: "ip -o -4 addr > /etc/seen" });
  const network = { mode: "bridge" };
  const agent = await snapshotAgent({ base_images: { python: base.name }, network }, { "requirements.txt": "x==1\n" });
  const [, subnet = "none"] = / inet (10\.\d+\.\d+\.)/.exec(await printed(agent, "1.1.0", "cat", "/etc/seen")) ?? [];
  expect(subnet).not.toBe("none");
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => address) ?? []);
  expect(addresses.filter((address) => address.startsWith(subnet))).toEqual([]);
  expect(leftOfBuilds(base.name)).toEqual({ processes: [], containers: [] });
});

test("a version's own Containerfile is built with the files of its environment, never its code, nor what a link leads to", async () => {
  const base = await baseImage();
  const lines = [
    `FROM ${base.name}`,
    "LABEL io.kai.content=forged",
    "ENV MODEL=small \\",
    "  # in between",
    "  SIZE=3",
    "WORKDIR /etc/given",
    "COPY --chmod=644 . .",
    "RUN ls -a > /etc/list && cat vars/x.lock >> /etc/list",
  ];
  const agent = await snapshotAgent(
    { base_images: { python: "localhost/not-asked-for:1" } },
    {
      Containerfile: lines.join("\n"),
      "vars/x.lock": "locked\n",
      ".dockerignore": "**\n",
      "requirements.txt": "x==1\n",
    },
  );
  symlinkSync("/etc/passwd", path.join(agent.dir, "requirements-linked.txt"));
  await version(agent, "1.2.0", {});
  expect(await printed(agent, "1.2.0", "sh", "-c", 'cat /etc/list; echo "$MODEL $SIZE"')).toBe(
    ".\n..\nrequirements.txt\nvars\nlocked\nsmall 3\n",
  );
  const [built] = await findLocalImages([`${NAME}:1.2.0`], agent.env);
  expect(built?.labels).toMatchObject({ "io.kai.agent": "ai.example.clerk", "io.kai.base": base.reference });
  expect(built?.labels["io.kai.content"]).toMatch(/^[0-9a-f]{64}$/);
  await version(agent, "1.3.0", { Containerfile: `FROM ${base.name}\nADD http://169.254.169.254/ /etc/given\n` });
  expect(await agent.refused("run", "1.3.0", "--", "true")).toMatchObject({
    code: "E103",
    message: "The version's Containerfile cannot be built here, line 2: ADD.",
  });
});

test("files whose names are no UTF-8 hold no build up, and are in none", async () => {
  const base = await baseImage();
  const lines = [`FROM ${base.name}`, "WORKDIR /etc/given", "COPY . .", "RUN cat env/* > /etc/list"];
  const agent = await snapshotAgent(
    { base_images: { python: base.name } },
    { Containerfile: lines.join("\n"), "env/a.txt": "a\n", "env/é.txt": "b\n" },
  );
  const config = JSON.parse(readFileSync(path.join(agent.dir, "kai.yaml"), "utf8"));
  const version_management = { artifacts: { environment: { include: ["Containerfile", "env/**"] } } };
  agent.write("kai.yaml", JSON.stringify({ ...config, version_management }));
  const odd = (...parts: (string | number)[]) =>
    Buffer.concat(parts.map((part) => (typeof part === "number" ? Buffer.from([part]) : Buffer.from(part))));
  writeFileSync(odd(agent.dir, "/env/", 0xff, ".txt"), "c\n");
  mkdirSync(odd(agent.dir, "/env/", 0xfe));
  writeFileSync(odd(agent.dir, "/env/", 0xfe, "/d.txt"), "d\n");
  await version(agent, "1.2.0", {});
  expect(await printed(agent, "1.2.0", "cat", "/etc/list")).toBe("a\nb\n");
});

test("what a base would have done in each build on it is not done: it is refused", async () => {
  const plain = await baseImage({ pip: PIP });
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end("of this machine");
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const base = await triggeringImage(plain.name, [`ADD http://127.0.0.1:${port}/secret /secret`]);
  const agent = await snapshotAgent({ base_images: { python: base.name } }, { "requirements.txt": "x==1\n" });
  const refusal = {
    code: "E103",
    message: `Nothing is built on the image ${base.reference}: it has ONBUILD instructions, which a build here does not carry out.`,
  };
  expect(await agent.refused("run", "1.1.0", "--", "true")).toMatchObject(refusal);
  await version(agent, "1.2.0", { Containerfile: `FROM ${base.name}\nRUN true\n` });
  expect(await agent.refused("run", "1.2.0", "--", "true")).toMatchObject(refusal);
  expect(asked).toEqual([]);
  expect(agent.left()).toEqual(NOTHING_LEFT);
  expect(imagesWith(agent.env, `io.kai.base=${base.reference}`)).toEqual([]);
  expect((await agent.made("run", "1.2.0", "--image", base.name, "--", "echo", "as it is")).stdout).toBe("as it is\n");
});

test("snapshots that begin at once share one build", async () => {
  const base = await baseImage({ pip: PIP });
  const agent = await snapshotAgent({ base_images: { python: base.name } }, { "requirements.txt": "x==1\n" });
  const made = await Promise.all([1, 2, 3].map(() => printed(agent, "1.1.0", "cat", "/etc/made")));
  expect(new Set(made).size).toBe(1);
});

test("who waits for another's build is told so, and can give up", async () => {
  const base = await baseImage({ pip: "sleep 7006" });
  const agent = await snapshotAgent({ base_images: { python: base.name } }, { "requirements.txt": "x==1\n" });
  const { dir: cwd, env } = agent;
  const command = [PROGRAM, "snapshot", "run", "1.1.0", "--", "true"];
  const first = spawn(process.execPath, command, { cwd, env, stdio: "ignore" });
  onTestFinished(() => void first.kill("SIGINT"));
  const firstEnded = once(first, "exit");
  await expect.poll(() => leftOfBuilds(base.name, "7006").processes, { timeout: 30_000 }).toHaveLength(1);
  const atTerminal = ["--quiet", "--return", "--command", `'${process.execPath}' ${command.join(" ")}`, "/dev/null"];
  const second = spawn("script", atTerminal, { cwd, env: { ...env, TERM: "xterm" } });
  const secondEnded = once(second, "close");
  let told = "";
  second.stdout.on("data", (chunk: Buffer) => {
    const knew = told.includes("Waiting for another image");
    told += chunk.toString();
    if (!knew && told.includes("Waiting for another image")) second.stdin.write("\x03");
  });
  // By the signal itself, as a shell tells it.
  expect(await secondEnded, told).toEqual([130, null]);
  expect(leftOfBuilds(base.name, "7006").processes).toHaveLength(1);
  first.kill("SIGINT");
  await firstEnded;
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test("a base that was replaced is built on anew, and prune removes what lost its name, but not what is used", async () => {
  const base = await baseImage({ pip: PIP });
  const newer = await baseImage({ pip: PIP });
  const agent = await snapshotAgent({ base_images: { python: base.name } }, { "requirements.txt": "x==1\n" });
  const { id, isolation } = await agent.made("create", "1.1.0");
  execFileSync("podman", ["tag", newer.name, base.name], { env: agent.env });
  expect((await agent.made("create", "1.1.0")).isolation.image).not.toBe(isolation.image);
  await agent.made("prune");
  expect(await findLocalImages([isolation.image], agent.env)).toHaveLength(1);
  await agent.made("destroy", id);
  // Whoever prunes on this machine may be first.
  await agent.made("prune");
  expect(await findLocalImages([isolation.image], agent.env)).toEqual([]);
  expect(await findLocalImages([`${NAME}:1.1.0`], agent.env)).toHaveLength(1);
});

test("a layered snapshot has what the requirements say that its base saved", async () => {
  const base = await baseImage({ pip: PIP });
  const agent = await snapshotAgent({ base_images: { python: base.name } }, { "requirements.txt": "x==1\n" });
  const first = await agent.made("create", "1.1.0");
  await agent.made("exec", first.id, "--", "sh", "-c", "echo x==2 > requirements.txt");
  await agent.made("save", first.id);
  const second = await agent.made("create", "1.1.0", "--base", first.id);
  const { stdout } = await agent.made("exec", second.id, "--", "cat", "/etc/given/requirements.txt");
  expect(stdout).toBe("x==2\n");
  expect(tagsWith(agent.env, `io.kai.base=${base.reference}`)).toEqual([
    `${NAME}:1.1.0`,
    `${NAME}:1.1.0__${first.id.toLowerCase()}`,
  ]);
});
