import { spawn } from "node:child_process";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { processesOfBuild } from "../../src/podman/build-processes.js";
import { baseImage, imagesWith, leftOfBuilds } from "./base-image.js";
import { printed } from "./image-versions.js";
import { NOTHING_LEFT, snapshotAgent } from "./snapshot-agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

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
