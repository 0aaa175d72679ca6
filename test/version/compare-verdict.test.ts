import { expect, test } from "vitest";
import { parseAgentConfig } from "../../src/agent/parse-agent-config.js";
import type { ComparedSide } from "../../src/version/compare-side.js";
import { judgeCompatibility, judgeMigration, judgeRollback } from "../../src/version/compare-verdict.js";
import { parseNumber } from "../../src/version/number.js";
import type { VersionRecord } from "../../src/version/record.js";
import type { TagName } from "../../src/version/tag-name.js";

interface SideOptions {
  state?: string;
  withdrawn?: boolean;
  type?: "auto" | "foreign";
  migrate?: string;
  record?: { parent: string; backward: string[]; forward: string[]; canRollback: boolean } | null;
}

function recordOf(record: SideOptions["record"]): VersionRecord | null {
  if (record === null) return null;
  return {
    parent: record?.parent ?? null,
    compatibility: { required: "none", backward: record?.backward ?? [], forward: record?.forward ?? [] },
    rollback: { canRollback: record?.canRollback ?? true, target: null, risks: [], procedure: "standard" },
  } as unknown as VersionRecord;
}

function side(name: string, options: SideOptions = {}): ComparedSide {
  const migrate = options.migrate === undefined ? "" : `lifecycle: {migrate: {run: "${options.migrate}"}}\n`;
  return {
    name,
    commit: "0".repeat(40),
    config: parseAgentConfig(`agent_id: ai.example.a\n${migrate}`, "kai.yaml"),
    record: recordOf(options.record),
    version:
      name === "HEAD"
        ? undefined
        : {
            number: parseNumber(name),
            tag: `v${name}` as TagName,
            tagId: "1".repeat(40),
            commit: "0".repeat(40),
            type: options.type ?? "auto",
            named: null,
            parent: null,
            hash: null,
            record: null,
            state: options.state ?? null,
            createdAt: null,
            createdBy: null,
            description: "",
            withdrawn: options.withdrawn ?? false,
            standing: null,
            latin1: undefined,
          },
  };
}

const commit = (subject: string, oid = "a".repeat(40)) => ({ oid, subject, body: "" });

test("the record of a version speaks for its own parent, the commits for all others", () => {
  const newer = side("1.2.0", { record: { parent: "1.1.0", backward: [], forward: ["1.1.0"], canRollback: true } });
  const commits = [commit("feat: more")];
  expect(judgeCompatibility(side("1.1.0"), newer, commits, [])).toMatchObject({ backward: false, forward: true });
  expect(judgeCompatibility(side("1.0.0"), newer, commits, [])).toMatchObject({ backward: true, forward: false });
  expect(judgeCompatibility(newer, side("1.1.0"), [], commits)).toMatchObject({
    relation: "behind",
    backward: true,
    forward: false,
  });
});

test("before 1.0.0 a breaking change needs a minor version, and still breaks", () => {
  const judged = judgeCompatibility(side("0.4.0"), side("0.5.0"), [commit("feat!: other answers")], []);
  expect(judged).toMatchObject({ required: "minor", declared: "minor", backward: false, forward: false });
});

test("a shallow history is no other line", () => {
  const undone = [commit("feat: a", "b".repeat(40))];
  const judged = judgeCompatibility(side("1.0.0"), side("1.1.0"), [commit("feat: b")], undone, { shallow: true });
  expect(judged).toMatchObject({ relation: "unknown", commits: null, undone: null, required: null, backward: null });
  expect(judged.findings).toHaveLength(1);
  // What is reached is known to be.
  expect(judgeCompatibility(side("1.0.0"), side("1.1.0"), [commit("feat: b")], [], { shallow: true }).relation).toBe(
    "ahead",
  );
});

test("of versions on two lines nothing is claimed", () => {
  const undone = [commit("feat!: b", "b".repeat(40))];
  const judged = judgeCompatibility(side("2.0.0"), side("1.9.1"), [commit("fix: a")], undone);
  expect(judged).toMatchObject({ relation: "diverged", required: null, declared: null, backward: null, forward: null });
  expect(judged.findings.map(({ level }) => level)).toEqual(["patch", "major"]);
});

test("a migration is required by a new command, or by a breaking change where there is state", () => {
  const { findings } = judgeCompatibility(side("1.0.0"), side("2.0.0"), [commit("feat!: b")], []);
  const reasons = (from: ComparedSide, to: ComparedSide) => judgeMigration(from, to, findings).reasons;
  expect(reasons(side("1.0.0"), side("2.0.0"))).toEqual([]);
  expect(reasons(side("1.0.0", { state: "sha256:1" }), side("2.0.0"))).toEqual([
    "aaaaaaaaaaaa (feat!: b) breaks: b, and 1.0.0 has captured state",
  ]);
  expect(judgeMigration(side("1.0.0"), side("1.0.1", { migrate: "./up" }), [])).toEqual({
    answer: true,
    reasons: ["1.0.1 names the migration command ./up"],
  });
  expect(judgeMigration(side("1.0.0", { migrate: "./up" }), side("1.0.1", { migrate: "./up" }), []).answer).toBe(false);
});

test("a way back is closed by what the target is, or by what the record says", () => {
  const reasons = (from: ComparedSide, to: ComparedSide) => judgeRollback(from, to).reasons;
  const final = { parent: "1.0.0", backward: [], forward: [], canRollback: false };
  expect(reasons(side("1.0.0"), side("1.1.0"))).toEqual([]);
  expect(reasons(side("1.0.0"), side("HEAD"))).toEqual([]);
  expect(reasons(side("1.0.0", { withdrawn: true }), side("1.1.0"))).toEqual([
    "v1.0.0 was withdrawn by a rollback or an undo",
  ]);
  expect(reasons(side("1.0.0", { type: "foreign", record: null }), side("1.1.0"))).toEqual([
    "v1.0.0 was made by another tool",
  ]);
  expect(reasons(side("1.0.0", { record: null }), side("1.1.0", { record: final }))).toEqual([
    "the record of v1.0.0 is not in this clone",
    "the record of v1.1.0 says that it cannot be rolled back",
  ]);
});
