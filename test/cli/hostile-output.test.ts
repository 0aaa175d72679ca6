import { expect, test } from "vitest";
import { formatEntryMessage } from "../../src/operation/entry.js";
import { entryAt } from "../operation/observe.js";
import { agentWithVersions } from "../support/agent.js";

/** Colour, title and cursor by ESC, the same by the C1 control CSI, a bell, and text turned round. */
const EVIL = "\u001b[31m\u001b]0;title\u0007\u009b2J\r\u202egood";

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
const ACTS_ON_TERMINAL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

test("nothing that a tag, the log or a path holds acts on the terminal", async () => {
  const agent = await agentWithVersions("1.0.0");
  const look = async (...args: string[]) => {
    const ran = await agent.kai(...args);
    expect(ran.stdout + ran.stderr, args.join(" ")).toMatch(/good|\d/);
    expect(`${ran.stdout}${ran.stderr}`, args.join(" ")).not.toMatch(ACTS_ON_TERMINAL);
    return ran;
  };
  agent.write(`new ${EVIL}\nforged line.py`, "");
  expect((await look("create", "--allow-unchanged")).stderr).toContain("1 untracked path is in no version");
  expect((await look("status")).stdout).not.toMatch(/^forged/m);
  expect((await look("status", "--json")).json().modified[0].path).toBe(`new ${EVIL}\nforged line.py`);

  const tag = `object ${agent.git("rev-parse", "HEAD")}\ntype commit\ntag v7.0.0\ntagger ${EVIL} <a@b> 1 +0000\n\n${EVIL}\n`;
  agent.write("tag", tag);
  agent.git("update-ref", "refs/tags/v7.0.0", agent.git("hash-object", "-t", "tag", "-w", "--literally", "tag"));
  await look("list");
  await look("list", "--tree");
  await look("show", "7.0.0");
  await look("verify", "--all");

  const forge = (more: object, subject: string) => {
    const head = agent.git("rev-parse", "refs/kai/log");
    const entry = { ...entryAt(agent, head), ...more };
    agent.write("entry", formatEntryMessage(subject, entry));
    const commit = agent.git("commit-tree", "-p", head, "-F", "entry", `${head}^{tree}`);
    agent.git("update-ref", "refs/kai/log", commit);
  };
  const head = agent.git("rev-parse", "refs/kai/log");
  forge({ actor: { name: EVIL, email: EVIL, key: EVIL } }, `create ${EVIL}`);
  expect((await look("log")).stdout).toContain("good");
  await look("log", "--json");
  await look("next");
  agent.git("update-ref", "refs/kai/log", head);
  const { current } = entryAt(agent, head);
  forge({ kind: EVIL, withdrawn: [EVIL], current: { ...current, after: { ...current.after, version: EVIL } } }, "x");
  expect((await look("log")).stdout).not.toContain("good");
  await look("verify", "--all");
  await look("status");
  await look("rollback", EVIL);
});
