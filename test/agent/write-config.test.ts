import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatNewConfig, planIgnoreLines } from "../../src/agent/write-config.js";
import { scratch } from "../support/scratch.js";

const NOTHING = { framework: "generic", evidence: [], artifacts: {}, stateCandidates: [], runtime: "other" } as const;

test("writes only what differs from the defaults", () => {
  expect(formatNewConfig(NOTHING, "ai.kai.plain")).toMatchInlineSnapshot(`
    "# What git kai-version knows of this agent. Only agent_id must be here;
    # \`git kai-version config show --all\` lists every key with its default.
    agent_id: ai.kai.plain
    "
  `);
  const detection = {
    ...NOTHING,
    framework: "langgraph",
    artifacts: { tools: ["tools/**", "tools.py"] },
    stateCandidates: ["memory.sqlite", "state.json"],
  } as const;
  expect(formatNewConfig(detection, "desk")).toMatchInlineSnapshot(`
    "# What git kai-version knows of this agent. Only agent_id must be here;
    # \`git kai-version config show --all\` lists every key with its default.
    agent_id: desk

    version_management:
      artifacts:
        # Globs as in .gitignore, for the layout of LangGraph.
        tools:
          include: ["tools/**", "tools.py"]
        # Runtime state: ignored by git, captured with each version.
        state:
          include: ["memory.sqlite", "state.json"]
    "
  `);
});

test("refuses an id that could not be one", () => {
  expect(() => formatNewConfig(NOTHING, "no good")).toThrowError('"no good" cannot be an agent\'s id.');
});

test("ignores state, with what SQLite writes beside it", () => {
  const { dir, env } = scratch();
  execFileSync("git", ["init", "-q"], { cwd: dir, env });
  writeFileSync(
    path.join(dir, ".gitignore"),
    planIgnoreLines("node_modules\n", ["memory.sqlite", "state.json", "checkpoints/"]),
  );
  const files = [
    "memory.sqlite",
    "memory.sqlite-wal",
    "memory.sqlite-shm",
    "memory.sqlite-journal",
    "state.json",
    "checkpoints/1",
    "kept.py",
  ];
  const said = execFileSync("git", ["check-ignore", "--no-index", ...files], { cwd: dir, env, encoding: "utf8" });
  expect(said.split("\n")).toEqual([...files.slice(0, -1), ""]);
});

test("replaces its block and keeps every other line", () => {
  const first = planIgnoreLines("a\r\nb", ["state.json"]);
  expect(first).toMatch(/^a\r\nb\r\n\r\n# >>> /);
  const second = planIgnoreLines(`${first}c\r\n`, ["other.json"]);
  expect(second).not.toContain("state.json");
  expect(second).toMatch(/# <<< runtime state\r\nc\r\n$/);
  expect(planIgnoreLines(second, [])).toBe("a\r\nb\r\n\r\nc\r\n");
  expect(planIgnoreLines("a", [])).toBe("a");
});

test("changes nothing when it is applied twice", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", "\n", "\r\n", "#", " ") }),
      fc.subarray(["x.db", "y/", "z.json"]),
      (text, state) => {
        const once = planIgnoreLines(text, state);
        expect(planIgnoreLines(once, state)).toBe(once);
      },
    ),
  );
});
