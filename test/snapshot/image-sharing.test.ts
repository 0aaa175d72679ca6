import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { findLocalImages } from "../../src/podman/local-image.js";
import { baseImage, leftOfBuilds } from "./base-image.js";
import { NAME, PIP, printed } from "./image-versions.js";
import { NOTHING_LEFT, snapshotAgent } from "./snapshot-agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

test("an image that is not here is E103 with both ways out, and no registry is asked", async () => {
  const agent = await snapshotAgent({ base_images: { python: "registry.invalid/nobody/python:0" } });
  expect(await agent.refused("run", "1.1.0", "--", "true")).toMatchObject({
    code: "E103",
    message: "The base image registry.invalid/nobody/python:0 is not on this machine.",
    hint: expect.stringContaining("base_images: {python: host}"),
  });
  expect(await agent.refused("run", "1.1.0", "--image", "localhost/nosuch:1", "--", "true")).toMatchObject({
    hint: "Run `podman pull localhost/nosuch:1`, or give `--image host` to use this machine's own programs, read-only.",
  });
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
