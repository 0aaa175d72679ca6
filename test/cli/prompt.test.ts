import { spawn } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { formatChoice } from "../../src/cli/prompt.js";
import { type Agent, agentWithVersions } from "../support/agent.js";

const PROGRAM = new URL("../../bin/git-kai-version", import.meta.url).pathname;

/** Runs the program on a terminal, script(1)'s, and types an answer to each question; what it showed and its exit status. */
function onTerminal(agent: Agent, args: string, answers: readonly string[]): Promise<{ shown: string; exit: number }> {
  const left = [...answers];
  const child = spawn("/usr/bin/script", ["-qec", `'${PROGRAM}' ${args}`, "/dev/null"], {
    cwd: agent.dir,
    env: { ...agent.env, TERM: "dumb", SHELL: "/bin/sh" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let shown = "";
  let seen = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    shown += chunk;
    if (!stripVTControlCharacters(shown.slice(seen)).endsWith(": ")) return;
    seen = shown.length;
    child.stdin.write(left.shift() ?? "\u0003");
  });
  return new Promise((resolve) => child.on("close", (exit) => resolve({ shown, exit: exit ?? -1 })));
}

test("a version is chosen by its number or its name; Enter and Ctrl-D take none, Ctrl-C ends the program", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0");
  const rollback = (answer: string) => onTerminal(agent, "rollback --dry-run", [answer]);
  const chosen = await rollback("2\r");
  expect(stripVTControlCharacters(chosen.shown)).toContain("  2  1.0.0\r\nNumber, or Enter for none: ");
  expect(chosen.shown).toContain("1.2.0 -> 1.0.0");
  expect((await rollback("1.1.0\r")).shown).toContain("1.2.0 -> 1.1.0");
  for (const none of ["\r", "9\r", "\u0004"]) {
    expect(await rollback(none)).toMatchObject({ exit: 2, shown: expect.stringContaining("E122") });
  }
  const stopped = await rollback("\u0003");
  expect(stopped.exit).toBe(128 + 2);
  expect(stopped.shown).not.toContain("Error");
});

test("a passphrase is not shown while it is typed, and Ctrl-C and Ctrl-D make no key", async () => {
  const agent = await agentWithVersions();
  const generate = (...answers: string[]) => onTerminal(agent, "key generate", answers);
  const made = await generate("open sesame\r", "open sesame\r");
  expect(made.shown).toMatch(/Made key/);
  expect(made.shown).not.toContain("sesame");
  const keys = (await agent.kai("key", "list")).stdout;
  expect((await generate("half\u0003")).exit).toBe(128 + 2);
  expect(await generate("\u0004")).toMatchObject({ exit: 2, shown: expect.stringContaining("No passphrase") });
  expect((await agent.kai("key", "list")).stdout).toBe(keys);
});

test("nothing that is offered acts on the terminal or looks like another option", () => {
  expect(formatChoice("Which \u001b[2Jone?", ["1.0.0\u001b]0;x\u0007", "a\n  9  b"])).toBe(
    "Which one?\n  1  1.0.0\\u001b]0;x\\u0007\n  2  a\\n  9  b\nNumber, or Enter for none: ",
  );
});
