import { expect, test } from "vitest";
import { bareCommandLine } from "../../src/cli/bare-command-line.js";
import { COMMANDS } from "../../src/cli/commands/index.js";
import { parseCommandLine } from "../../src/cli/parse-command-line.js";

test("a line that says nothing to its command is understood as the parser understands it", async () => {
  let bare = 0;
  for (const { load } of COMMANDS) {
    const command = await load();
    for (const words of [[], ["--json"], ["-q", "--no-color"], ["--quiet", "--quiet", "--json"]]) {
      const line = bareCommandLine(command, words);
      if (line === undefined) continue;
      bare++;
      const { input, globals: { json, quiet, color } = {} } = parseCommandLine(command, words) ?? {};
      // The parser says that colours are wanted where nothing was said of them.
      const globals = { json: undefined, quiet: undefined, color: true, ...line.globals };
      expect({ input: line.input, globals }, command.name).toEqual({ input, globals: { json, quiet, color } });
    }
  }
  expect(bare).toBeGreaterThan(50);
});

test.each([
  ["snapshot list", ["-C", "."]],
  ["snapshot list", ["--help"]],
  ["snapshot list", ["word"]],
  ["snapshot list", ["--"]],
  ["snapshot list", ["constructor"]],
  ["list", ["--limit", "3"]],
  ["show", []],
])("what says more, or lacks something, is the parser's: %s %j", async (name, words) => {
  const command = await COMMANDS.find((each) => each.name === name)?.load();
  if (command === undefined) throw new Error(`${name} is no command`);
  expect(bareCommandLine(command, words)).toBeUndefined();
});
