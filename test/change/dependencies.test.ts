import fc from "fast-check";
import { expect, test } from "vitest";
import { readDependencies } from "../../src/change/dependencies.js";
import type { Dependency } from "../../src/change/dependency.js";
import { diffDependencies } from "../../src/change/dependency-diff.js";

const read = (path: string, text: string | object, ...more: { path: string; text: string }[]) =>
  readDependencies([{ path, text: typeof text === "string" ? text : JSON.stringify(text, null, 2) }, ...more]);

const brief = (dependencies: Dependency[]) =>
  dependencies.map(({ purl, direct, line }) => `${purl}${direct ? " direct" : ""}${line === null ? "" : ` :${line}`}`);

const requirements = (text: string) => brief(read("requirements.txt", text).dependencies);

const lockV3 = {
  name: "agent",
  lockfileVersion: 3,
  packages: {
    "": { name: "agent", dependencies: { "@scope/tool": "^1.0.0" }, workspaces: ["parts/*"] },
    "parts/memory": { version: "0.1.0", devDependencies: { left: "1", right: "2" } },
    "node_modules/memory": { resolved: "parts/memory", link: true },
    "node_modules/@scope/tool": { version: "1.2.0", integrity: "sha512-AAAA" },
    "node_modules/@scope/tool/node_modules/left": { version: "0.9.0" },
    "node_modules/left": { version: "1.0.0" },
    "parts/memory/node_modules/right": { version: "2.0.0-rc.1+build" },
    "node_modules/alias": { name: "real", version: "3.0.0" },
    "node_modules/forked": { version: "1.0.0", resolved: "git+https://me:secret@example.com/f.git#abc" },
  },
};

test("reads package-lock.json, versions 2 and 3", () => {
  for (const lockfileVersion of [2, 3]) {
    const { dependencies, problems } = read("package-lock.json", { ...lockV3, lockfileVersion, dependencies: {} });
    expect(problems).toEqual([]);
    expect(dependencies.map(({ purl, direct }) => [purl, direct])).toEqual([
      ["pkg:npm/%40scope/tool@1.2.0", true],
      ["pkg:npm/forked@1.0.0?vcs_url=git%2Bhttps:%2F%2Fexample.com%2Ff.git%23abc", false],
      ["pkg:npm/left@0.9.0", false],
      ["pkg:npm/left@1.0.0", true],
      ["pkg:npm/real@3.0.0", false],
      ["pkg:npm/right@2.0.0-rc.1%2Bbuild", true],
    ]);
    expect(dependencies[0]).toEqual({
      ...{ purl: "pkg:npm/%40scope/tool@1.2.0", name: "@scope/tool", version: "1.2.0", ecosystem: "npm" },
      ...{ hash: "sha512-AAAA", file: "package-lock.json", line: 25, direct: true },
    });
  }
});

test("reads package-lock.json, version 1, also as npm-shrinkwrap.json", () => {
  const lock = {
    lockfileVersion: 1,
    dependencies: {
      a: { version: "1.0.0", requires: { b: "^2.0.0" }, dependencies: { b: { version: "2.1.0" } } },
      b: { version: "1.0.0" },
      c: { version: "npm:@s/real@3.0.0" },
      d: { version: "git+ssh://git@example.com/d.git#0123abc" },
    },
  };
  const manifest = { path: "sub/package.json", text: '{"dependencies": {"b": "1"}}' };
  const purls = (dependencies: Dependency[]) =>
    dependencies.map(({ purl, direct }) => `${purl}${direct ? " direct" : ""}`);
  expect(purls(read("sub/npm-shrinkwrap.json", lock, manifest).dependencies)).toEqual([
    "pkg:npm/%40s/real@3.0.0",
    "pkg:npm/a@1.0.0",
    "pkg:npm/b@1.0.0 direct",
    "pkg:npm/b@2.1.0",
    "pkg:npm/d@0123abc?vcs_url=git%2Bssh:%2F%2Fgit%40example.com%2Fd.git%230123abc",
  ]);
  const guessed = read("package-lock.json", lock).dependencies.filter(({ direct }) => direct);
  expect(guessed.map(({ name }) => name)).toEqual(["@s/real", "a", "d"]);
});

test.each([
  ["a pin", "Django_Tools==1.2.3\n", ["pkg:pypi/django-tools@1.2.3 direct :1"]],
  ["extras, markers and comments", 'a[x, y] == 1.0 ; python_version < "3.9"  # why\n', ["pkg:pypi/a@1.0 direct :1"]],
  [
    "a local version and an exact one",
    "torch==2.1.0+cu118\nb===1.0\n",
    ["pkg:pypi/b@1.0 direct :2", "pkg:pypi/torch@2.1.0%2Bcu118 direct :1"],
  ],
  [
    "options and blank lines",
    "--index-url https://example.com/simple\n\n-c limits.txt\n-e .\n# a==1\nb==2\n",
    ["pkg:pypi/b@2 direct :6"],
  ],
  ["a dot in the name, which package URLs keep", "zope.interface==5.0\n", ["pkg:pypi/zope.interface@5.0 direct :1"]],
  [
    "a commit of a repository, its token left out",
    "x @ git+https://token@example.com/x.git@abc123#egg=x\n-e git+ssh://git@example.com/y@v1#egg=y\n",
    [
      "pkg:pypi/x@abc123?vcs_url=git%2Bhttps:%2F%2Fexample.com%2Fx.git%40abc123 direct :1",
      "pkg:pypi/y@v1?vcs_url=git%2Bssh:%2F%2Fgit%40example.com%2Fy%40v1 direct :2",
    ],
  ],
  [
    "what pip-compile says of what is direct",
    "a==1\n    # via -r requirements.in\nb==2\n    # via\n    #   a\nc==3  # via a, b\nd==4\n    # via\n    #   a\n    #   agent (pyproject.toml)\n",
    ["pkg:pypi/a@1 direct :1", "pkg:pypi/b@2 :3", "pkg:pypi/c@3 :6", "pkg:pypi/d@4 direct :7"],
  ],
])("requirements: %s", (_, text, expected) => {
  expect(requirements(text)).toEqual(expected);
});

test("requirements: hashes over continued lines", () => {
  const text = "\uFEFFa==1.0 \\\r\n    --hash=sha256:bb \\\r\n    --hash=sha256:aa\r\nb==2\r\n";
  expect(read("requirements/prod.txt", text).dependencies).toMatchObject([
    { name: "a", hash: "sha256:aa sha256:bb", line: 1, file: "requirements/prod.txt" },
    { name: "b", line: 4 },
  ]);
});

test.each([
  ["flask>=2", "`flask>=2` is not held at one version; write `flask==…`."],
  ["flask==2.*", "`flask==2.*` is not held at one version; write `flask==…`."],
  ["flask", "`flask` is not held at one version; write `flask==…`."],
  ["./wheels/a.whl", "`./wheels/a.whl` is a path or a URL, which has no version to record."],
  ["https://u:p@example.com/a.whl", "`https://example.com/a.whl` is a path or a URL, which has no version to record."],
  ["a @ https://example.com/a.whl", "a comes from a URL, which has no version to record."],
  ["a @ git+https://example.com/a.git", "a is not held at one commit; add `@COMMIT` to its URL."],
  ["git+https://example.com/a.git@abc", "`git+https://example.com/a.git@abc` does not say its name; add `#egg=NAME`."],
  ["-r ../../base.txt", "../../base.txt is included, but is not part of the agent."],
])("requirements: `%s` is told as a problem", (line, message) => {
  expect(read("requirements.txt", `ok==1\n${line}\n`)).toMatchObject({
    dependencies: [{ name: "ok" }],
    problems: [{ path: "requirements.txt", line: 2, message }],
  });
});

test("requirements: included files are read, in a ring too", () => {
  const base = { path: "deps/base.list", text: "b==1\n-r ../requirements.txt\n" };
  const { dependencies, problems } = read("requirements.txt", "-r deps/base.list\na==1\n", base);
  expect(problems).toEqual([]);
  expect(dependencies.map(({ name, file }) => `${file} ${name}`)).toEqual(["requirements.txt a", "deps/base.list b"]);
});

test("reads Pipfile.lock", () => {
  const lock = {
    _meta: { requires: { python_version: "3.11" } },
    default: {
      Flask: { version: "==3.0.0", index: "pypi", hashes: ["sha256:b", "sha256:a"] },
      jinja2: { version: "==3.1.2" },
      own: { git: "https://example.com/own.git", ref: "abc123" },
      path: { path: "." },
    },
    develop: { pytest: { version: "==8.0.0", index: "pypi" } },
  };
  const { dependencies, problems } = read("Pipfile.lock", lock);
  expect(dependencies.map(({ purl, direct, hash }) => [purl, direct, hash])).toEqual([
    ["pkg:pypi/flask@3.0.0", true, "sha256:a sha256:b"],
    ["pkg:pypi/jinja2@3.1.2", false, undefined],
    ["pkg:pypi/own@abc123?vcs_url=git%2Bhttps:%2F%2Fexample.com%2Fown.git%40abc123", true, undefined],
    ["pkg:pypi/pytest@8.0.0", true, undefined],
  ]);
  expect(problems).toMatchObject([{ message: "path has no version." }]);
});

test("files of other kinds are passed over, damaged ones are told", () => {
  expect(read("README.md", "flask==1\n")).toEqual({ dependencies: [], problems: [] });
  expect(read("package-lock.json", "{\n").problems).toEqual([
    { path: "package-lock.json", line: 2, message: expect.stringMatching(/^It cannot be read: /) },
  ]);
  expect(read("package-lock.json", "[]").problems).toMatchObject([{ message: "It is not a lock file of npm." }]);
});

function dependency(name: string, version: string, more: Partial<Dependency> = {}): Dependency {
  return { purl: "", name, version, ecosystem: "npm", file: "f", line: 1, direct: true, ...more };
}

test.each([
  ["npm", "1.2.3", "2.0.0", "major"],
  ["npm", "1.2.3", "1.3.0", "minor"],
  ["npm", "1.2.3", "1.2.4", "patch"],
  ["npm", "1.2.3-rc.1", "1.2.3", "patch"],
  ["npm", "1.2.3", "abc", "other"],
  ["pypi", "1", "2.0", "major"],
  ["pypi", "2024.1", "2024.2.post1", "minor"],
  ["pypi", "1.2", "1.2.0.4", "patch"],
  ["pypi", "1.0", "1!1.0", "major"],
  ["pypi", "1.0", "1.0rc1+local", "patch"],
  ["pypi", "1".repeat(40), "2".repeat(40), "other"],
] as const)("%s: from %s to %s is %s", (ecosystem, from, to, level) => {
  const { changed } = diffDependencies([dependency("a", from, { ecosystem })], [dependency("a", to, { ecosystem })]);
  expect(changed).toMatchObject([{ name: "a", from, to, level }]);
});

test("several versions of one package are paired within their major", () => {
  const before = ["1.0.0", "2.0.0", "4.0.0"].map((version) => dependency("a", version));
  const after = ["2.1.0", "1.0.0", "4.0.1", "5.0.0"].map((version) => dependency("a", version, { line: 7 }));
  expect(diffDependencies(before, after)).toEqual({
    added: [dependency("a", "5.0.0", { line: 7 })],
    removed: [],
    changed: [
      { name: "a", ecosystem: "npm", from: "2.0.0", to: "2.1.0", direct: true, file: "f", line: 7, level: "minor" },
      { name: "a", ecosystem: "npm", from: "4.0.0", to: "4.0.1", direct: true, file: "f", line: 7, level: "patch" },
    ],
  });
});

test("the same version with other content is told, a further hash of it is not", () => {
  const of = (hash: string) => [dependency("a", "1.0.0", { hash })];
  expect(diffDependencies(of("sha256:a"), of("sha256:b")).changed).toMatchObject([
    { from: "1.0.0", to: "1.0.0", level: "other" },
  ]);
  expect(diffDependencies(of("sha256:a"), of("sha256:a sha256:b")).changed).toEqual([]);
});

test("a package of the same name elsewhere is another package", () => {
  const { added, removed, changed } = diffDependencies(
    [dependency("a", "1")],
    [dependency("a", "1", { ecosystem: "pypi" })],
  );
  expect([added.length, removed.length, changed.length]).toEqual([1, 1, 0]);
});

const some = fc.array(fc.tuple(fc.constantFrom("a", "b"), fc.constantFrom("1.0.0", "1.1.0", "2.0.0", "x")));

test("a list has no difference from itself, and every difference is told once", () => {
  fc.assert(
    fc.property(some, some, (one, other) => {
      const [before, after] = [one, other].map((list) => list.map(([name, version]) => dependency(name, version)));
      expect(diffDependencies(before ?? [], before ?? [])).toEqual({ added: [], removed: [], changed: [] });
      const { added, removed, changed } = diffDependencies(before ?? [], after ?? []);
      const key = ({ name, version }: { name: string; version: string }) => `${name}@${version}`;
      const result = new Set(before?.map(key));
      for (const item of removed) expect(result.delete(key(item))).toBe(true);
      for (const { name, from } of changed) expect(result.delete(`${name}@${from}`)).toBe(true);
      for (const item of added) result.add(key(item));
      for (const { name, to } of changed) result.add(`${name}@${to}`);
      expect(result).toEqual(new Set(after?.map(key)));
    }),
  );
});

test("never throws, whatever the texts", () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "a",
      "==",
      "1",
      " ",
      "\n",
      "\\\n",
      "#",
      "# via ",
      "-r ",
      "-e ",
      "git+https://",
      "@",
      "/",
      "[",
      ";",
      " --hash=",
      "\u2028",
      "://",
    ),
  );
  const json = fc.json().map((text) => text.replaceAll('""', '"\\ud800"'));
  const entries = fc.dictionary(fc.constantFrom("", "node_modules/a", "a", "node_modules/\ud800"), fc.jsonValue());
  const lock = fc.record(
    { packages: fc.oneof(entries, fc.jsonValue()), dependencies: fc.oneof(entries, fc.jsonValue()) },
    { requiredKeys: [] },
  );
  const text = fc.oneof(
    fc.array(piece).map((parts) => parts.join("")),
    json,
    lock.map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(fc.constantFrom("requirements.txt", "package-lock.json", "Pipfile.lock"), text, (path, content) => {
      read(path, content, { path: "package.json", text: content });
    }),
    { numRuns: 100 },
  );
});
