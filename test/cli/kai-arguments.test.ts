import { expect, test } from "vitest";
import { kaiArguments } from "../../src/cli/kai-arguments.js";

const read = (line: string) => kaiArguments(line.split(" "), { HOME: "/home/ada" }).argv.join(" ");

test("the agent behind the command is a folder of the agents' folder, or a path", () => {
  expect(read("list clerk --limit 3")).toBe("-C /home/ada/agents/clerk list --limit 3");
  expect(read("config show clerk")).toBe("-C /home/ada/agents/clerk config show");
  expect(read("list ./clerk")).toBe("-C ./clerk list");
  expect(read("list .")).toBe("-C . list");
  expect(kaiArguments(["list", "clerk"], { KAI_AGENTS: "/srv" })).toEqual({
    argv: ["-C", "/srv/clerk", "list"],
    agent: "clerk",
  });
  expect(kaiArguments(["list", "/srv/clerk"], {}).agent).toBeUndefined();
});

test("options in front stay in front, and a folder named by -C is the agent", () => {
  expect(read("--json -q show clerk 1.0.0")).toBe("--json -q -C /home/ada/agents/clerk show 1.0.0");
  expect(read("-C /srv/clerk show 1.0.0")).toBe("-C /srv/clerk show 1.0.0");
});

test("commands that concern no agent are left as they are", () => {
  for (const line of [
    "-C",
    "--json",
    "doctor --json",
    "key list",
    "help create",
    "--version",
    "list",
    "list --limit 3",
  ]) {
    expect(read(line)).toBe(line);
  }
});

test("doctor looks at an agent where one is named", () => {
  expect(read("doctor clerk --json")).toBe("-C /home/ada/agents/clerk doctor --json");
});

test("snapshot --test is the command snapshot test", () => {
  const tested = "-C /home/ada/agents/clerk snapshot test v1.2.0";
  expect(read("snapshot clerk --test v1.2.0")).toBe(tested);
  expect(read("snapshot clerk --test=v1.2.0 --json")).toBe(`${tested} --json`);
  expect(read("snapshot clerk --json --test v1.2.0 -- python3 x.py")).toBe(`${tested} --json -- python3 x.py`);
  expect(read("snapshot test clerk v1.2.0")).toBe(tested);
});

test("a --test behind -- belongs to the program that is run", () => {
  expect(read("snapshot test clerk v1.2.0 -- npm run --test")).toBe(
    "-C /home/ada/agents/clerk snapshot test v1.2.0 -- npm run --test",
  );
  expect(read("snapshot clerk --test v1.2.0 -- npm --test x")).toBe(
    "-C /home/ada/agents/clerk snapshot test v1.2.0 -- npm --test x",
  );
  expect(read("snapshot clerk -- npm --test x")).toBe("-C /home/ada/agents/clerk snapshot -- npm --test x");
});
