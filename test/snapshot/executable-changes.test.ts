import { expect, test } from "vitest";
import { parseAgentConfig } from "../../src/agent/config.js";
import { findExecutable } from "../../src/snapshot/ingest/executable-changes.js";

const configOf = (run: string) =>
  parseAgentConfig(JSON.stringify({ agent_id: "ai.example.clerk", lifecycle: { start: { run } } }), "kai.yaml");

/** Which of some paths are marked where an agent is started by a command. */
function marked(run: string, paths: readonly string[]): string[] {
  const config = configOf(run);
  const bytes = paths.map((each) => Buffer.from(each).toString("latin1"));
  return findExecutable(bytes, { before: config, after: config, onto: null, byGit: () => undefined }).map(
    ({ path }) => path,
  );
}

test.each([
  ".gitattributes",
  "sub/.GITATTRIBUTES",
  ".GitModules",
  ".git\u200cmodules",
  ".github/workflows/x.yml",
  ".gitlab-ci.yml",
  "Jenkinsfile",
  "bitbucket-pipelines.yml",
  "azure-pipelines.yml",
  ".woodpecker.yml",
  ".woodpecker/x.yml",
  ".drone.yml",
  ".travis.yml",
  ".build.yml",
  ".builds/x.yml",
  ".buildkite/pipeline.yml",
  ".cirrus.yml",
  "appveyor.yml",
  ".githooks/pre-commit",
  "web/.Husky/pre-commit",
])("git or a forge obeys %s, whatever the commands are", (path) => {
  expect(marked("true", [path, `${path}.md`.replace("/", "-"), "free.txt"])).toEqual([path]);
});

test.each<[string, string[]]>([
  ["./start.sh", ["start.sh"]],
  ["$PWD/start.sh", ["start.sh"]],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's own
  ["exec ${PWD}/start.sh", ["start.sh"]],
  ["$(pwd)/ops/start.sh", ["ops/start.sh"]],
  ["`pwd`/health.py", ["health.py"]],
  ['"$PWD"/start.sh', ["start.sh"]],
  ['"$(dirname "$0")/start.sh"', ["start.sh"]],
  ['"./my script.sh" --now', ["my script.sh"]],
  ["'my script.sh'", ["my script.sh"]],
  ["./my\\ script.sh", ["my script.sh"]],
  [`sh -c "exec './my script.sh'"`, ["my script.sh"]],
  ["sh -c 'cd ops && ./start.sh'", ["start.sh", "ops/start.sh", "ops/a/b.py"]],
  ["./ops//./start.sh", ["ops/start.sh"]],
  ["START.SH", ["start.sh"]],
  ["for f in ops/*.sh; do sh $f; done", ["ops/start.sh"]],
  ["sh ops/st?rt.s[a-z]", ["ops/start.sh"]],
  ["sh ops/{start,stop}.sh", ["ops/start.sh"]],
  ["sh ops/$NAME.sh", ["ops/start.sh"]],
  ["run-parts ops/**/b.py", ["ops/start.sh", "ops/a/b.py"]],
  ["node index", ["index.js", "index.cjs", "index.mjs"]],
  ["node --enable-source-maps .", ["index.js", "index.cjs", "index.mjs", "package.json"]],
  ["npm ci", ["package.json", "package-lock.json", "npm-shrinkwrap.json"]],
  ["yarn --frozen-lockfile", ["package.json", "yarn.lock"]],
  ["pnpm install", ["package.json", "pnpm-lock.yaml"]],
  ["pip install .", ["setup.py", "setup.cfg", "pyproject.toml"]],
  ["python3 -m pip install -e .", ["setup.py", "setup.cfg", "pyproject.toml"]],
  ["docker compose up -d", ["docker-compose.yml", "compose.yaml"]],
  ["docker-compose up -d", ["docker-compose.yml", "compose.yaml"]],
  ["bundle exec rake start", ["Rakefile"]],
  ["deno task start", ["package.json", "deno.json"]],
  ["make -s start", ["Makefile"]],
  ["python3 -m clerk.main", ["clerk/main.py"]],
  ["uvicorn clerk.main:app", ["clerk/main.py"]],
  ["echo $STATUS > start.sh 2>>'my script.sh'", []],
  ["for f in $FILES; do cat $f; done", []],
  ["echo don't; ./start.sh", ["start.sh"]],
])("%s", (run, named) => {
  const all = [
    ["start.sh"],
    ["my script.sh", "health.py", "ops/start.sh", "ops/a/b.py", "index.js", "index.cjs", "index.mjs", "clerk/main.py"],
    [
      "package.json",
      "package-lock.json",
      "npm-shrinkwrap.json",
      "yarn.lock",
      "pnpm-lock.yaml",
      "setup.py",
      "setup.cfg",
    ],
    ["pyproject.toml", "docker-compose.yml", "compose.yaml", "Rakefile", "deno.json", "Makefile", "free.txt"],
  ].flat();
  expect(marked(run, all).sort()).toEqual([...named].sort());
});

test("a command that a sandbox wrote to hold its reader up is read at once", () => {
  const name = `${"a".repeat(250)}.sh`;
  for (const run of [
    "*a".repeat(5000),
    "*".repeat(50_000),
    "[".repeat(50_000),
    `"${"\\a".repeat(50_000)}`,
    "{$(`".repeat(20_000),
  ]) {
    expect(
      marked(
        `x ${run}b`,
        Array.from({ length: 200 }, () => name),
      ),
    ).toEqual([]);
  }
});
