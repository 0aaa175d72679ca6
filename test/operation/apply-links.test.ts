import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { applyLinks, type LinkChange, stageLinks } from "../../src/operation/apply-links.js";
import { removeStaging } from "../../src/operation/staging-folder.js";
import { scratch } from "../support/scratch.js";

const DONE = { links: [], logs: [] };

/** A root with two deployments and `current` on the first, and a staging folder. */
function place() {
  const { dir } = scratch();
  const root = path.join(dir, "root");
  const staging = path.join(dir, "01K0000000000000000000000A");
  for (const each of [staging, path.join(root, "versions/v1"), path.join(root, "versions/v2")]) {
    mkdirSync(each, { recursive: true });
  }
  const link = path.join(root, "current");
  symlinkSync("versions/v1", link);
  const log = { file: path.join(root, "rollback.log"), line: '{"operation":"A"}' };
  const change: LinkChange = { link, target: "versions/v2", before: "versions/v1", log };
  return { root, staging, link, log, change };
}

test("a link is switched and told of once, however often it is applied", async () => {
  const { root, staging, link, log, change } = place();
  writeFileSync(log.file, "earlier\n");
  await stageLinks(staging, [change]);
  expect(await applyLinks(staging)).toEqual(DONE);
  expect(await applyLinks(staging)).toEqual(DONE);
  expect(readlinkSync(link)).toBe("versions/v2");
  expect(readFileSync(log.file, "utf8")).toBe(`earlier\n${log.line}\n`);
  expect(readdirSync(root).sort()).toEqual(["current", "rollback.log", "versions"]);
});

test("what an earlier run was cut short in is taken up", async () => {
  const { root, staging, link, log, change } = place();
  await stageLinks(staging, [change]);
  writeFileSync(log.file, 'earlier\n{"opera');
  expect(await applyLinks(staging)).toEqual(DONE);
  expect(readlinkSync(link)).toBe("versions/v2");
  expect(readFileSync(log.file, "utf8")).toBe(`earlier\n${log.line}\n`);
  expect(readdirSync(root).sort()).toEqual(["current", "rollback.log", "versions"]);
});

test("what the switch needs is made when it is staged, and made again where somebody took it away", async () => {
  const { root, staging, link, change } = place();
  await stageLinks(staging, [change]);
  const aside = path.join(root, ".current-01K0000000000000000000000A");
  expect([readlinkSync(aside), readlinkSync(link)]).toEqual(["versions/v2", "versions/v1"]);
  rmSync(aside);
  expect(await applyLinks(staging)).toEqual(DONE);
  expect(readlinkSync(link)).toBe("versions/v2");
});

test("what was staged and not switched is taken away, but for the folder that somebody put there", async () => {
  const { root, staging, change } = place();
  await stageLinks(staging, [change]);
  await removeStaging(staging, path.join(root, "trash"));
  expect(readdirSync(root).sort()).toEqual(["current", "rollback.log", "versions"]);
  expect(existsSync(staging)).toBe(false);
  mkdirSync(staging);
  await stageLinks(staging, [change]);
  const aside = path.join(root, ".current-01K0000000000000000000000A");
  rmSync(aside);
  mkdirSync(aside);
  await removeStaging(staging, path.join(root, "trash"));
  expect([existsSync(aside), existsSync(staging)]).toEqual([true, false]);
});

test.each([
  ["all of a line", "earlier\n", "", "\0".repeat(40)],
  ["the end of a line of ours", "earlier\n", '{"opera', "\0\0\0"],
  ["the end of another's", "earlier\n", "somebody else", "\0\0"],
])("zeros that a loss of power left for %s are no line", async (_what, before, torn, zeros) => {
  const { staging, log, change } = place();
  writeFileSync(log.file, `${before}${torn}${zeros}`);
  await stageLinks(staging, [change]);
  await applyLinks(staging);
  const theirs = torn === "somebody else" ? `${torn}\n` : "";
  expect(readFileSync(log.file, "utf8")).toBe(`${before}${theirs}${log.line}\n`);
});

test("another's torn line stays a line of its own", async () => {
  const { staging, log, change } = place();
  writeFileSync(log.file, "somebody else");
  await stageLinks(staging, [change]);
  await applyLinks(staging);
  appendFileSync(log.file, "next\n");
  expect(readFileSync(log.file, "utf8")).toBe(`somebody else\n${log.line}\nnext\n`);
});

test("a link that somebody else changed, took away or replaced is left alone and named", async () => {
  for (const before of [null, "versions/v0"]) {
    const { staging, link, log, change } = place();
    await stageLinks(staging, [{ ...change, before }]);
    expect(await applyLinks(staging)).toEqual({ links: [link], logs: [] });
    expect(readlinkSync(link)).toBe("versions/v1");
    expect(readFileSync(log.file, "utf8")).toBe("");
  }
  const { staging, root, change } = place();
  const folder = path.join(root, "versions");
  await stageLinks(staging, [{ ...change, link: folder }]);
  expect(await applyLinks(staging)).toEqual({ links: [folder], logs: [] });
});

test("a link is never led to nowhere", async () => {
  const { staging, link, change } = place();
  await stageLinks(staging, [{ ...change, target: "versions/v3" }]);
  expect(await applyLinks(staging)).toEqual({ links: [link], logs: [] });
  expect(readlinkSync(link)).toBe("versions/v1");
});

test("a link is made where none was, and taken away again", async () => {
  const { staging, root, change } = place();
  const link = path.join(root, "next");
  await stageLinks(staging, [{ ...change, link, before: null, log: null }]);
  expect(await applyLinks(staging)).toEqual(DONE);
  expect(readlinkSync(link)).toBe("versions/v2");
  await stageLinks(staging, [{ ...change, link, before: "versions/v2", target: null, log: null }]);
  expect([await applyLinks(staging), await applyLinks(staging)]).toEqual([DONE, DONE]);
  expect(existsSync(link)).toBe(false);
});

test("a log that is a link is not followed", async () => {
  const { staging, link, log, change, root } = place();
  const outside = path.join(root, "outside");
  writeFileSync(outside, "theirs\n");
  symlinkSync(outside, log.file);
  await stageLinks(staging, [change]);
  expect(await applyLinks(staging)).toEqual({ links: [], logs: [log.file] });
  expect([readlinkSync(link), readFileSync(outside, "utf8")]).toEqual(["versions/v2", "theirs\n"]);
});

const READER = `
const { parentPort, workerData } = require("node:worker_threads");
const { readFileSync } = require("node:fs");
const { link, stop } = workerData;
const flag = new Int32Array(stop);
const seen = { reads: 0, failures: [], versions: {} };
while (Atomics.load(flag, 0) === 0) {
  try {
    const version = readFileSync(link + "/version", "utf8");
    seen.versions[version] = true;
    seen.reads++;
  } catch (cause) {
    seen.failures.push(cause.code);
  }
}
parentPort.postMessage(seen);
`;

test("whoever reads through the link during 10,000 switches always finds a version", { timeout: 120_000 }, async () => {
  const { root, staging, link, change } = place();
  for (const version of ["v1", "v2"]) writeFileSync(path.join(root, "versions", version, "version"), version);
  const stop = new SharedArrayBuffer(4);
  const worker = new Worker(READER, { eval: true, workerData: { link, stop } });
  const reader = new Promise<{ reads: number; failures: string[]; versions: object }>((resolve, reject) => {
    worker.once("message", resolve).once("error", reject);
  });
  const names = ["versions/v1", "versions/v2"] as const;
  const folders = names.map((_, index) => path.join(root, `${index}`));
  for (const [index, folder] of folders.entries()) {
    mkdirSync(folder);
    const [target, before] = index === 0 ? [names[1], names[0]] : [names[0], names[1]];
    await stageLinks(folder, [{ ...change, target, before, log: null }]);
  }
  for (let switches = 0; switches < 10_000; switches++) {
    expect(await applyLinks(folders[switches % 2] ?? staging)).toEqual(DONE);
  }
  Atomics.store(new Int32Array(stop), 0, 1);
  const { reads, failures, versions } = await reader;
  expect(failures).toEqual([]);
  expect(reads).toBeGreaterThan(0);
  expect(Object.keys(versions).sort()).toEqual(["v1", "v2"]);
});
