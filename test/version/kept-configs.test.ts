import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ConfigCache } from "../../src/version/kept-configs.js";
import { parse } from "../agent/config-text.js";
import { scratch } from "../support/scratch.js";

const TEXT = `agent_id: ai.example.clerk
version_management: {artifacts: {state: {include: ["state.json"]}}}
lifecycle: {start: {run: "exec ./serve"}, health: {run: ./health, retries: 3}}
snapshot_isolation:
  secrets: {B: "file:/run/b", A: "command:./a"}
  tests: [{name: answers, kind: functionality, run: ./ask, expect: {exit_code: 0}, timeout: 30s}]
`;

const asReader = (reader: string | undefined) => vi.stubGlobal("KAI_CONFIG_READER", reader);
beforeEach(() => {
  asReader("one");
});
afterEach(() => vi.unstubAllGlobals());

function cache() {
  const { dir } = scratch();
  const home = path.join(dir, "kai");
  mkdirSync(home);
  const folder = path.join(home, "cache");
  const files = () => readdirSync(folder).map((name) => path.join(folder, name));
  return { kept: new ConfigCache({ KAI_HOME: home }), home, folder, files };
}

test("what a text says is found again as it was read, its keys in their order", async () => {
  const { kept } = cache();
  expect(kept.find(TEXT)).toBeUndefined();
  const config = parse(TEXT);
  await kept.keep(TEXT, config);
  expect(kept.find(TEXT)).toStrictEqual(config);
  expect(JSON.stringify(kept.find(TEXT))).toBe(JSON.stringify(config));
  expect(kept.find(`${TEXT}\n`)).toBeUndefined();
});

test("what another program read is not believed, and one that runs from its sources keeps nothing", async () => {
  const { kept, files, home } = cache();
  await kept.keep(TEXT, parse(TEXT));
  asReader("another");
  expect(kept.find(TEXT)).toBeUndefined();
  asReader(undefined);
  expect(kept.find(TEXT)).toBeUndefined();
  await kept.keep(`${TEXT}\n`, parse(TEXT));
  expect(files()).toHaveLength(1);
  expect(readdirSync(home)).toEqual(["cache"]);
});

test("a file with any byte changed, cut off anywhere or of zeros says nothing", async () => {
  const { kept, files } = cache();
  await kept.keep(TEXT, parse(TEXT));
  const [file = ""] = files();
  const whole = readFileSync(file);
  const damaged = [
    Buffer.alloc(whole.length),
    Buffer.from("null"),
    Buffer.from(`\n${whole.toString().split("\n")[1]}`),
  ];
  for (let at = 0; at < whole.length; at += 97) {
    damaged.push(whole.subarray(0, at), Buffer.from(whole.map((byte, index) => (index === at ? byte ^ 1 : byte))));
  }
  for (const bytes of damaged) {
    writeFileSync(file, bytes);
    expect(kept.find(TEXT)).toBeUndefined();
  }
});

test("a hundred are kept, the oldest goes first, and what else lies there stays", async () => {
  const { kept, folder, files } = cache();
  const config = parse(TEXT);
  await kept.keep(TEXT, config);
  utimesSync(files()[0] ?? "", 1, 1);
  writeFileSync(path.join(folder, "podman-host.json"), "{}");
  for (let each = 0; each < 99; each++) await kept.keep(`${TEXT}# ${each}\n`, config);
  expect(kept.find(TEXT)).toEqual(config);
  await kept.keep(`${TEXT}# 99\n`, config);
  expect(kept.find(TEXT)).toBeUndefined();
  expect(kept.find(`${TEXT}# 0\n`)).toEqual(config);
  expect(files()).toHaveLength(101);
});

test("who has no home for keys is not given one", async () => {
  const { kept, home } = cache();
  rmdirSync(home);
  await kept.keep(TEXT, parse(TEXT));
  expect(existsSync(home)).toBe(false);
});

test("where it cannot be written it is as if there were none", async () => {
  const { kept, home } = cache();
  writeFileSync(path.join(home, "cache"), "a file");
  await kept.keep(TEXT, parse(TEXT));
  expect(kept.find(TEXT)).toBeUndefined();
  expect(readFileSync(path.join(home, "cache"), "utf8")).toBe("a file");
});
