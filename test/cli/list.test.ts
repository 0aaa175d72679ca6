import { expect, test } from "vitest";
import { type Agent, agentWithVersions } from "../support/agent.js";

const VERSIONS = ["1.0.0", "1.1.0", "2.0.0"];

/** Three versions of March 2026, one of today that was left by a rollback, and a tag of another tool. */
async function clerk(): Promise<Agent> {
  const agent = await agentWithVersions(...VERSIONS);
  agent.git("tag", "-a", "-m", "of another tool", "v0.9.0", "HEAD~3");
  agent.git("tag", "nightly");
  agent.write("logic.py", "print('new')\n");
  agent.commit("feat: new");
  await agent.kai("create", "--type", "manual", "-m", "a try");
  await agent.kai("rollback", "2.0.0");
  return agent;
}

test("filters, sorting and pages leave what they say", async () => {
  const agent = await clerk();
  const listed = async (...args: string[]): Promise<string[]> =>
    (await agent.kai("list", "--json", ...args)).json().versions.map(({ version }: { version: string }) => version);

  expect(await listed()).toEqual(["2.1.0", "2.0.0", "1.1.0", "1.0.0", "0.9.0"]);
  expect(await listed("--type", "foreign")).toEqual(["0.9.0"]);
  expect(await listed("--type", "manual")).toEqual(["2.1.0"]);
  expect(await listed("--status", "withdrawn")).toEqual(["2.1.0"]);
  expect(await listed("--status", "active", "--type", "auto")).toEqual(["2.0.0", "1.1.0", "1.0.0"]);
  expect(await listed("--since", "2026-03-01", "--until", "2026-03-31")).toEqual(["2.0.0", "1.1.0", "1.0.0"]);
  expect(await listed("--until", "2026-03-02T08:59:59Z")).toEqual([]);
  expect(await listed("--match", "1.*")).toEqual(["1.1.0", "1.0.0"]);
  expect(await listed("--match", "v2.*")).toEqual(["2.1.0", "2.0.0"]);
  expect(await listed("--sort", "version", "--reverse", "--limit", "2")).toEqual(["0.9.0", "1.0.0"]);
  expect(await listed("--sort", "date", "--limit", "2")).toContain("2.1.0");
  expect((await listed("--sort", "type"))[0]).toBe("2.1.0");
  expect(await listed("--limit", "2", "--offset", "1")).toEqual(["2.0.0", "1.1.0"]);
  expect(await listed("--offset", "9")).toEqual([]);
  expect(await listed("--limit", "0")).toEqual([]);

  const page = (await agent.kai("list", "--json", "--match", "1.*", "--limit", "1")).json();
  expect(page).toMatchObject({ total: 5, filtered: 2, skipped: [{ tag: "nightly" }] });
  expect((await agent.kai("list", "--match", "1.*", "--limit", "1")).stdout).toContain("1 of 2 shown.");
  expect((await agent.kai("list", "--match", "9.*")).stdout).toBe("None of the 5 versions matches.\n");
  expect((await agent.kai("list", "--offset", "9")).stdout).toBe("0 of 5 shown.\n");
  expect((await agent.kai("list", "--tree", "--match", "9.*")).stdout).toBe("None of the 5 versions matches.\n");
});

test("a version that was withdrawn keeps its type in the table", async () => {
  const agent = await clerk();
  expect((await agent.kai("list")).stdout).toMatch(/ 2\.1\.0 +manual +withdrawn /);
  expect((await agent.kai("list", "--status", "active")).stdout).not.toContain("STATUS");
});

test("the tree shows each version below the one that it came from", async () => {
  const agent = await clerk();
  expect(await agent.kai("list", "--tree")).toMatchInlineSnapshot(`
    0.9.0  of another tool
    1.0.0  auto version 1.0.0
    └─ 1.1.0  auto version 1.1.0
       └─ 2.0.0  current  auto version 2.0.0
          └─ 2.1.0  withdrawn  a try
    [exit 0]
  `);
});

test("a value that cannot be is wrong usage, told with those that can", async () => {
  const agent = await agentWithVersions("1.0.0");
  for (const [option, value, said] of [
    ["--type", "autmo", "Allowed choices are auto, manual, release, rollback, foreign. Did you mean auto?"],
    [
      "--status",
      "gone",
      "Allowed choices are active, withdrawn, development, testing, staging, production, deprecated, archived.",
    ],
    ["--sort", "dtae", "Allowed choices are version, date, type, author. Did you mean date?"],
    ["--limit", "-1", "'-1' is no whole number"],
    ["--limit", "few", "'few' is no whole number"],
    ["--offset", "1.5", "'1.5' is no whole number"],
    ["--since", "the flood", "'the flood' is no date"],
    ["--until", "", "'' is no date"],
  ] as const) {
    const ran = await agent.kai("list", `${option}=${value}`, "--json");
    expect(ran.exit, option).toBe(2);
    expect(ran.json().error, option).toMatchObject({ code: "E122", message: expect.stringContaining(said) });
  }
});

test("one version that does not match is not counted as several", async () => {
  const agent = await agentWithVersions("1.0.0");
  expect((await agent.kai("list", "--match", "9.*")).stdout).toBe("The only version does not match.\n");
});
