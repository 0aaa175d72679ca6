import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { shellQuote } from "../../src/system/shell-quote.js";

test.each(["plain", "two words", "it's", "$(id) `id` $HOME", 'a"b', "line\nfeed", "-x; rm -rf ~", ""])(
  "a shell reads %j as the one word that it is",
  (text) => {
    const read = execFileSync("sh", ["-c", `printf '[%s]' ${shellQuote(text)}`], { encoding: "utf8" });
    expect(read).toBe(`[${text}]`);
  },
);
