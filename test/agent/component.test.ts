import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createClassifier, stateIgnoreLines } from "../../src/agent/component.js";
import { globMatcher } from "../../src/agent/glob-matcher.js";
import { parseAgentConfig } from "../../src/agent/parse-agent-config.js";
import { scratch } from "../support/scratch.js";

const classifierOf = (yaml = "") => {
  const config = parseAgentConfig(`agent_id: a\n${yaml}`, "kai.yaml");
  return createClassifier(config.version_management.artifacts);
};

test("gives each file the kind of its globs, at any depth where there is no slash", () => {
  const kindOf = classifierOf();
  expect(
    Object.fromEntries(
      [
        "logic.py",
        "src/deep/agent.ts",
        "config.yaml",
        "prompts/system.md",
        "src/answer.prompt.md",
        "tools/search.json",
        "models/big.bin",
        "package-lock.json",
        "requirements-dev.txt",
        "dist/index.js",
        "data/table.csv",
        "logo.png",
        "node_modules/x/index.js",
      ].map((path) => [path, kindOf(path)]),
    ),
  ).toMatchInlineSnapshot(`
    {
      "config.yaml": "config",
      "data/table.csv": "data",
      "dist/index.js": "build",
      "logic.py": "code",
      "logo.png": "assets",
      "models/big.bin": "models",
      "node_modules/x/index.js": "assets",
      "package-lock.json": "environment",
      "prompts/system.md": "prompts",
      "requirements-dev.txt": "environment",
      "src/answer.prompt.md": "prompts",
      "src/deep/agent.ts": "code",
      "tools/search.json": "tools",
    }
  `);
});

test("gives a file that several kinds name to the first of them", () => {
  const kinds = ["state", "models", "prompts", "tools", "environment", "build", "data", "config", "code"];
  for (const [index, kind] of kinds.entries()) {
    const later = kinds.slice(index).map((each) => `    ${each}: {include: ["x.file"]}`);
    expect(classifierOf(`version_management:\n  artifacts:\n${later.join("\n")}`)("deep/x.file")).toBe(kind);
  }
});

test("takes kai.yaml for configuration whatever the globs say", () => {
  expect(classifierOf('version_management: {artifacts: {state: {include: ["*"]}}}')("kai.yaml")).toBe("config");
});

test("hands what a kind excludes on to the next", () => {
  const kindOf = classifierOf('version_management: {artifacts: {prompts: {include: ["*.md"], exclude: [README.md]}}}');
  expect([kindOf("a/b.md"), kindOf("a/README.md")]).toEqual(["prompts", "assets"]);
});

test("tells letters apart by case", () => {
  expect(classifierOf()("PROGRAM.PY")).toBe("assets");
});

test.each(["a\nb.py", "./a.py", "../a.py", "a\\b.py", "%FF.py", "a b.py", "é.py", "//a.py"])(
  "takes the path %j",
  (path) => {
    expect(classifierOf()(path)).toBe("code");
  },
);

test("never throws, whatever a path holds", () => {
  const plain = classifierOf();
  const rare = classifierOf('version_management: {artifacts: {code: {include: ["[a-c]*", "!b"]}}}');
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: fc.constantFrom("a", "/", "\\", "\n", ".", "*", "\0", "é", "\ud800", "%", " ") }),
        fc.constantFrom("", "..", ".", "/", "\\", "__proto__"),
      ),
      (path) => {
        plain(path);
        rare(path);
      },
    ),
  );
});

test("gives the globs of state", () => {
  const text =
    "agent_id: a\nversion_management: {artifacts: {state: {include: [state.json, memory/], exclude: [memory/seed.db]}}}";
  expect(stateIgnoreLines(parseAgentConfig(text, "kai.yaml"))).toEqual(["state.json", "memory/", "!memory/seed.db"]);
});

test.each([
  "**/a/**/a/**/a/**/a/**/a/**/b",
  "/**/a/**/[a]/**/a/**/a/**/b",
  `${"*a*b*/".repeat(12)}c`,
  `${"**/".repeat(80_000)}b`,
])("asks at once whether %.40s matches a path of thousands of folders", (glob) => {
  const matches = globMatcher([glob]);
  const folders = `${"a/".repeat(1000)}${`${"a".repeat(99)}${"b".repeat(99)}/`.repeat(11)}`;
  expect([`${folders}d`, `${folders}d/d`].filter(matches)).toEqual([]);
});

test("matches globs as git does", () => {
  const { dir, env } = scratch();
  execFileSync("git", ["init", "-q"], { cwd: dir, env });
  const globs =
    "*.py dist dist/** a/b a/** **/b /a a/**/c b/ *.a*c req*.txt * a/*/c **/a/b a* *a .py **/*.py /a/*.py ?.py [ab] a?c/b"
      .split(" ")
      .map((glob) => [glob]);
  globs.push(["*.py", "!b.py"], ["a", "dist/**", "*.txt"]);
  globs.push(["**/a/**/b", "**/a/**/a/**", "a/**/**/c", "**/**/**/b"].flatMap((glob) => [glob, `!${glob}/x.py`]));
  globs.push(
    ["**/[a-b]/**/x.*", "!/**/a/b"],
    ["a/**", "!a/b", "!a/c/"],
    ["*a*b*c*", "\\a", "b\\/c", "[!a]*/[/]", "c/[a"],
  );
  const segments = ["a", "b", "c", "dist", "x.py", ".py", "b.py", "req.txt", "abc", "x.aac", "aXc"];
  const paths = segments.flatMap((one) => [
    one,
    ...segments.flatMap((two) => [`${one}/${two}`, ...["c", "b", "x.py"].map((three) => `${one}/${two}/${three}`)]),
  ]);
  for (const set of globs) {
    const said = execFileSync(
      "sh",
      ["-c", 'printf "%s\\n" "$GLOBS" > .git/info/exclude; git check-ignore --no-index --stdin || [ $? = 1 ]'],
      { cwd: dir, env: { ...env, GLOBS: set.join("\n") }, input: paths.join("\n"), encoding: "utf8" },
    );
    const matches = globMatcher(set);
    expect({ set, paths: paths.filter(matches) }).toEqual({
      set,
      paths: said.split("\n").filter((line) => line !== ""),
    });
  }
});
