import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseAgentConfig } from "../../src/agent/parse-agent-config.js";
import { findExecutable } from "../../src/snapshot/ingest/executable-changes.js";
import type { FolderView, SeenEntry } from "../../src/snapshot/ingest/folder-view.js";
import { PROGRAM_FILES, TAKES_MODULES } from "../../src/snapshot/ingest/program-files.js";

const configOf = (run: string) =>
  parseAgentConfig(JSON.stringify({ agent_id: "ai.example.clerk", lifecycle: { start: { run } } }), "kai.yaml");

/** Which of some paths are marked where an agent is started by a command. */
async function marked(run: string, paths: readonly string[], around: readonly FolderView[] = []): Promise<string[]> {
  const config = configOf(run);
  const bytes = paths.map((each) => Buffer.from(each).toString("latin1"));
  const configs = { before: config, after: config, onto: null, byGit: () => undefined };
  return (await findExecutable(bytes, configs, around)).map(({ path }) => path);
}

/** A tree of files and links; its second part is what each link says. */
function treeOf(files: readonly string[], links: Readonly<Record<string, string>>): FolderView {
  const entries = new Map<string, Map<string, SeenEntry>>();
  for (const file of [...files, ...Object.keys(links)]) {
    const steps = file.split("/");
    for (const [index, name] of steps.entries()) {
      const folder = steps.slice(0, index).join("/");
      const within = entries.get(folder) ?? new Map<string, SeenEntry>();
      const isFolder = index < steps.length - 1;
      const said = links[file];
      const target = isFolder || said === undefined ? undefined : async () => said;
      entries.set(folder, within.set(name, { name, isFolder, target }));
    }
  }
  return async (folder) => [...(entries.get(folder)?.values() ?? [])];
}

test.each<[string, Record<string, string>, string[]]>([
  ["sh bin/stop.sh", { bin: "libexec" }, ["bin", "libexec/stop.sh"]],
  ["sh $PWD/Bin/stop.sh", { bin: "./libexec/" }, ["bin", "libexec/stop.sh"]],
  ["./health", { health: "libexec/health.sh" }, ["health", "libexec/health.sh"]],
  ["./a/b/health", { "a/b/health": "../../x", x: "libexec/health.sh" }, ["a/b/health", "libexec/health.sh", "x"]],
  ["./a/../health", { health: "a/../libexec/health.sh" }, ["health", "libexec/health.sh"]],
  ["a/*/stop.sh", { "a/v1": "../libexec" }, ["a/v1", "libexec/stop.sh"]],
  ["cd bin && ./stop.sh", { bin: "libexec" }, ["bin", "libexec/health.sh", "libexec/stop.sh"]],
  ["cd a && ./stop.sh", { "a/stop.sh": "../libexec/stop.sh" }, ["a/stop.sh", "libexec/stop.sh"]],
  ["cd a && ../libexec/stop.sh", {}, ["libexec/stop.sh"]],
  ["cd a && sh */stop.sh", { "a/v1": "../libexec" }, ["a/v1", "libexec/stop.sh"]],
  ["sh bin/../health.sh", { bin: "libexec/sub" }, ["bin", "libexec/health.sh"]],
  ["python3 -m pkg.main", { pkg: "libexec" }, ["libexec/main.py", "pkg"]],
  ["make", { makefile: "build/all.mk" }, ["build/all.mk", "makefile"]],
  ["./x", { x: "lib*/health.sh", "lib*": "a", libexec2: "a" }, ["lib*", "x"]],
  ["./x", { x: "y", y: "x" }, ["x", "y"]],
  ["./x", { x: "x/x" }, ["x"]],
  ["./x ./y", { x: "/libexec/stop.sh", y: "../libexec/stop.sh" }, ["x", "y"]],
  ["./stop.sh", { bin: "libexec", other: "free.txt" }, []],
])("what %s names through links is marked, and they are: %j", async (run, links, named) => {
  const files = [
    "libexec/stop.sh",
    "libexec/health.sh",
    "libexec/main.py",
    "build/all.mk",
    "free.txt",
    "a/b/c",
    "libexec/sub/d",
  ];
  const paths = [...files, ...Object.keys(links)].filter((file) => !/^a\/b\/c$|sub/.test(file));
  const expected = run.startsWith("cd bin") ? [...named, "libexec/main.py"].sort() : named;
  expect((await marked(run, paths, [treeOf(files, links)])).sort()).toEqual(expected);
  // Each may be in another tree than what leads there.
  const apart = Object.entries(links).map(([link, target]) => treeOf([], { [link]: target }));
  expect((await marked(run, paths, [treeOf(files, {}), ...apart])).sort()).toEqual(expected);
});

test("a link that is a file in another tree is followed all the same", async () => {
  const trees = [treeOf(["health"], {}), treeOf(["lib/health.sh"], { health: "lib/health.sh" })];
  expect(await marked("./health", ["lib/health.sh"], trees)).toEqual(["lib/health.sh"]);
});

test("links that a sandbox made to hold their reader up are given up, and all it changed is marked", async () => {
  const names = Array.from({ length: 3000 }, (_, index) => `l${index}`);
  const loops = Object.fromEntries(names.map((name, index) => [name, `d${index}/..`]));
  const tree = treeOf(
    names.map((_, index) => `d${index}/file`),
    loops,
  );
  expect(await marked("*/".repeat(2000), ["free.txt"], [tree])).toEqual(["free.txt"]);
  expect(await marked("l1/".repeat(2000), ["free.txt"], [tree])).toEqual([]);
  const folders = names.map((_, index) => `d${index}`).join(" ");
  expect(await marked(folders, ["free.txt"], [tree])).toEqual(["free.txt"]);
});

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
  ".pre-commit-config.yaml",
  "prek.toml",
  ".overcommit.yml",
  ".git-hooks/pre_commit/check.rb",
  "Lefthook.yml",
  ".lefthook-local.toml",
  ".config/lefthook.jsonc",
  ".lefthook/pre-push/check.sh",
])("git or a forge obeys %s, whatever the commands are", async (path) => {
  expect(await marked("true", [path, `${path}.md`.replace("/", "-"), "free.txt"])).toEqual([path]);
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
])("%s", async (run, named) => {
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
  expect((await marked(run, all)).sort()).toEqual([...named].sort());
});

test.each<[string, string[]]>([
  ["python3 -mserve", ["serve.py"]],
  ["python3 -um serve", ["serve.py"]],
  ["python3 -umserve", ["serve.py"]],
  ["python3.12 .", ["__main__.py"]],
  ["make -Csub1", ["sub1/x.mk"]],
  ["make -fsub1/x.mk", ["sub1/x.mk"]],
  ['sh "$(cd "$(dirname "$0")" && pwd)/h1.sh"', ["h1.sh"]],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's own
  ["${X:-${PWD}}/h1.sh", ["h1.sh"]],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's own
  ["${X:-./h1.sh}", ["h1.sh"]],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's own
  ["sh tools/${X:-${Y:-a}}.sh", ["tools/a.sh"]],
  ["sh h$((1 + 0)).sh", ["h1.sh"]],
  ["sh tools/{a,{b,c}}.sh", ["tools/a.sh"]],
  ["python3 /app/serve.py", ["serve.py"]],
  ["node -r./hook.js -e 0", ["hook.js"]],
  ["node -r ./hook -e 0", ["hook.js"]],
  ["celery -A serve worker", ["serve.py", "celeryconfig.py"]],
  ["celery --app=serve worker", ["serve.py", "celeryconfig.py"]],
  ["gunicorn serve", ["serve.py", "gunicorn.conf.py"]],
  ["arq serve.Settings", ["serve.py"]],
  ["flask --app serve run", ["serve.py", "app.py", "wsgi.py"]],
  ["flask run", ["app.py", "wsgi.py"]],
  ["PATH=$PWD/tools:$PATH y", ["tools/a.sh"]],
  ["PYTHONPATH=a:tools python3 -m foo", ["tools/a.sh"]],
  ["pip3.12 install .", ["pyproject.toml"]],
  ["alembic upgrade head", ["alembic.ini", "pyproject.toml"]],
  ["langgraph up", ["langgraph.json"]],
  ["crewai run", ["pyproject.toml"]],
  ["honcho start", ["Procfile"]],
  ["conda env update", ["environment.yml"]],
  ["pytest tests/unit", ["pyproject.toml", "tests/conftest.py", "tests/unit/conftest.py"]],
  ["sh -x -m", []],
])("%s: options with a value, what is nested, modules and fixed names", async (run, named) => {
  const files =
    "serve.py __main__.py app.py wsgi.py gunicorn.conf.py celeryconfig.py h1.sh hook.js sub1/x.mk tools/a.sh";
  const fixed =
    "pyproject.toml alembic.ini langgraph.json Procfile environment.yml tests/conftest.py tests/unit/conftest.py";
  const all = [...files.split(" "), ...fixed.split(" "), "free.txt", "tests/free.txt"];
  expect((await marked(run, all)).sort()).toEqual([...named].sort());
});

test("the documents give the whole list of files that programs read by fixed names", () => {
  const documents = readFileSync(new URL("../../docs/snapshots.md", import.meta.url), "utf8");
  const programs = new Map<string, string[]>();
  for (const [program, files] of PROGRAM_FILES) {
    const told = files.map((file) => `\`${file}\``).join(", ");
    programs.set(told, [...(programs.get(told) ?? []), `\`${program}\``]);
  }
  const rows = [...programs].map(([told, named]) => `| ${named.join(", ")} | ${told} |`);
  const [, section = ""] = documents.split("\n### Files of fixed names\n");
  const [told = ""] = section.split("\n## ");
  expect(told.split("\n").filter((line) => line.startsWith("| `"))).toEqual(rows);
  expect(told).toContain([...TAKES_MODULES].map((program) => `\`${program}\``).join(", "));
});

test("a command that a sandbox wrote to hold its reader up is read at once", async () => {
  const name = `${"a".repeat(250)}.sh`;
  for (const run of [
    "*a".repeat(5000),
    "*".repeat(50_000),
    "[".repeat(50_000),
    `"${"\\a".repeat(50_000)}`,
    "{$(`".repeat(20_000),
    `-m ${"a.".repeat(50_000)}`,
    "-ma.a.a.a".repeat(10_000),
    "$".padEnd(50_000, "{a-"),
  ]) {
    expect(
      await marked(
        `x ${run}b`,
        Array.from({ length: 200 }, () => name),
      ),
    ).toEqual([]);
  }
});
