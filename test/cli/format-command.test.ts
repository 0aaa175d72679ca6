import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { formatCommand } from "../../src/cli/format-command.js";

test("a command is told as one would type it", () => {
  expect(formatCommand(["python3", "./logic.py", "--ask=a,b"])).toBe("python3 ./logic.py --ask=a,b");
  const words = ["sh", "-c", 'echo "$HOME"; it\'s', "", "a b", "*", "x\ny"];
  expect(formatCommand(words)).toBe(`sh -c 'echo "$HOME"; it'\\''s' '' 'a b' '*' 'x\ny'`);
  expect(execFileSync("sh", ["-c", `printf '%s|' ${formatCommand(words)}`], { encoding: "utf8" })).toBe(
    `${words.join("|")}|`,
  );
});
