import { expect, test } from "vitest";
import { contentDigest, formatContainerfile } from "../../src/snapshot/image/containerfile.js";
import { imageName } from "../../src/snapshot/image/image-name.js";
import { readContainerfile } from "../../src/snapshot/image/own-containerfile.js";
import { pipfileRequirements } from "../../src/snapshot/image/pipfile-requirements.js";
import { findRecipe } from "../../src/snapshot/image/recipe.js";

const PYTHON = "docker.io/library/python@sha256:ab";

function recipeOf(
  texts: Readonly<Record<string, string>>,
  runtime: "python" | "node" | "other" = "python",
  environment: readonly string[] = ["Containerfile", "Dockerfile"],
) {
  const bytes = (name: string) => Buffer.from(texts[name] ?? "");
  const files = {
    names: Object.keys(texts).sort(),
    links: [],
    target: () => Promise.reject(new Error("there is no link")),
    size: async (name: string) => bytes(name).length,
    read: async (name: string) => bytes(name),
  };
  return findRecipe({ files, runtime, isEnvironment: (name) => environment.includes(name) });
}

const containerfileOf = async (...wanted: Parameters<typeof recipeOf>): Promise<string | undefined> => {
  const recipe = await recipeOf(...wanted);
  return recipe && formatContainerfile(recipe, PYTHON);
};

const namesOf = async (...wanted: Parameters<typeof recipeOf>): Promise<string[]> => [
  ...((await recipeOf(...wanted))?.files.keys() ?? []),
];

test("the Containerfile of a Python version", async () => {
  expect(await containerfileOf({ "requirements.txt": "a==1", "logic.py": "" })).toMatchInlineSnapshot(`
    "FROM docker.io/library/python@sha256:ab
    WORKDIR /opt/kai
    COPY . /opt/kai/
    RUN PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore pip install --no-cache-dir --no-input --retries 1 -r requirements.txt
    "
  `);
});

test("the Containerfile of a Node version", async () => {
  const files = { "package.json": "{}", "package-lock.json": "{}", "index.js": "" };
  expect(await containerfileOf(files, "node")).toMatchInlineSnapshot(`
    "FROM docker.io/library/python@sha256:ab
    WORKDIR /opt/kai
    COPY . /opt/kai/
    WORKDIR /node_modules
    WORKDIR /opt/kai
    RUN npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --fetch-retries=1 --fetch-retry-mintimeout=1000 && node installed.cjs "$(command -v npm)" "$(npm config get omit)" && mkdir -p node_modules && cp -a node_modules/. /node_modules/ && rm -rf node_modules
    "
  `);
  expect(await namesOf(files, "node")).toEqual(["package-lock.json", "package.json", "installed.cjs"]);
  expect(await recipeOf({ "package-lock.json": "{}" }, "node")).toBeUndefined();
  expect(await recipeOf(files, "python")).toBeUndefined();
});

test("requirements.txt comes before other requirements and Pipfile.lock, with what it includes and nothing outside", async () => {
  const lock = JSON.stringify({
    default: { a: { version: "==1", hashes: ["sha256:ab"], markers: "python_version >= '3.8'" } },
  });
  const others = { "requirements-dev.txt": "b==1", "Pipfile.lock": lock };
  const text = "-r more/base.txt\n--constraint=../../etc/passwd\n-c requirements-dev.txt\n-r /etc/passwd\n";
  const all = { "requirements.txt": text, "more/base.txt": "-r ../deep.txt\n", "deep.txt": "", ...others, "x.txt": "" };
  expect(await namesOf(all)).toEqual(["deep.txt", "more/base.txt", "requirements-dev.txt", "requirements.txt"]);
  expect(await containerfileOf(others)).toContain(
    "pip install --no-cache-dir --no-input --retries 1 --no-deps -r requirements.txt",
  );
  expect((await recipeOf(others))?.files.get("requirements.txt")?.toString()).toBe(
    "a==1 ; python_version >= '3.8' --hash=sha256:ab\n",
  );
  expect(await containerfileOf({ "requirements-a.txt": "", "requirements-b.txt": "" })).toMatch(
    / -r requirements-a\.txt -r requirements-b\.txt\n$/,
  );
  expect(await recipeOf({ "requirements; rm -rf .txt": "", "deep/requirements.txt": "" })).toBeUndefined();
});

test("a Pipfile.lock that pip cannot follow, or that would say more, is refused", () => {
  for (const entry of [
    null,
    { git: "https://example.com/a.git", ref: "abc" },
    { version: "==1 --index-url http://evil.example" },
    { version: "==1", markers: "os_name == 'x'\n--index-url http://evil.example" },
    { version: "==1", markers: "os_name == 'x' --no-index" },
    { version: "==1", hashes: ["sha256:ab -e ."] },
  ]) {
    const read = () => pipfileRequirements(JSON.stringify({ default: { a: entry } }));
    expect(read, JSON.stringify(entry)).toThrow(expect.objectContaining({ code: "E103" }));
  }
  expect(() => pipfileRequirements("{")).toThrow("Pipfile.lock is not JSON");
  expect(() => pipfileRequirements(JSON.stringify({ default: { "-r x": { version: "==1" } } }))).toThrow();
});

test("too much to build from is refused before it is read", async () => {
  const files = {
    names: ["package-lock.json", "package.json"],
    links: [],
    target: () => Promise.reject(new Error("there is no link")),
    size: async () => 20 * 1024 ** 3,
    read: () => Promise.reject(new Error("it was read")),
  };
  const request = { files, runtime: "node", isEnvironment: () => false } as const;
  await expect(findRecipe(request)).rejects.toMatchObject({ code: "E103", hint: expect.stringContaining("64 MiB") });
});

test("a text that has to be read is refused where it is longer than any that people write", async () => {
  const long = "\n".repeat(2 * 1024 * 1024 + 1);
  for (const [name, rest] of [
    ["requirements.txt", {}],
    ["more.txt", { "requirements.txt": "-r more.txt\n" }],
    ["Pipfile.lock", {}],
    ["Containerfile", {}],
  ] as const) {
    await expect(recipeOf({ [name]: long, ...rest }), name).rejects.toMatchObject({
      code: "E103",
      message: `The version's image cannot be built: ${name} is too long.`,
    });
  }
  const lock = { "package.json": "{}", "package-lock.json": long };
  expect(await namesOf(lock, "node")).toEqual(["package-lock.json", "package.json", "installed.cjs"]);
});

test("what is read takes no longer than its length says", async () => {
  const size = 2 * 1024 * 1024;
  const filled = (part: string) => part.repeat(Math.floor(size / part.length)).slice(0, size - 16);
  for (const text of ["\n", " \n", "\r", "-r", "-r =", "=", "-r\n \n"].map(filled)) {
    expect(await namesOf({ "requirements.txt": text })).toEqual(["requirements.txt"]);
  }
  for (const text of ["COPY --chmod=644 ", "RUN <<", "RUN \\\n", " \n", "RUN <"].map(filled)) {
    await recipeOf({ Containerfile: `FROM base:1\nCOPY ${text}` }).catch(() => {});
    await recipeOf({ Containerfile: `FROM base:1\nCOPY ${text.replaceAll("COPY ", "")}x y` }).catch(() => {});
  }
});

test("requirements on lines that end in any way, and with spaces around", async () => {
  const text = "  -r  a.txt \r\n\t--requirement=b.txt\r-c c.txt";
  const files = { "requirements.txt": text, "a.txt": "", "b.txt": "", "c.txt": "" };
  expect(await namesOf(files)).toEqual(["a.txt", "b.txt", "c.txt", "requirements.txt"]);
});

test("a version's own Containerfile counts where it is of the environment, and comes first", async () => {
  const files = {
    Containerfile: "FROM base:1\nRUN make\n",
    "requirements.txt": "a==1\n",
    "code.py": "",
    ".dockerignore": "*",
  };
  expect(await containerfileOf(files)).toBe(`FROM ${PYTHON}\nRUN make\n`);
  expect(await namesOf(files)).toEqual(["requirements.txt"]);
  expect(await containerfileOf(files, "python", [])).toContain("pip install");
  expect(await containerfileOf({ Dockerfile: "FROM base:1\n" }, "other")).toBe(`FROM ${PYTHON}\n`);
  expect(await containerfileOf({ "deep/Containerfile": "FROM base:1\n" }, "other")).toBeUndefined();
});

const own = (...lines: string[]) => readContainerfile(["FROM base:1", ...lines].join("\n"), "Containerfile");

test("an own Containerfile is written anew: lines joined, comments and what a sandbox decides left out", () => {
  expect(
    readContainerfile(
      [
        "# syntax=docker/dockerfile:1",
        "ARG BEFORE=1",
        "from python:3.11-slim AS built",
        'LABEL a="b" \\',
        "  c=d",
        "EXPOSE 80",
        'ENTRYPOINT ["/bin/sh"]',
        "run a && \\",
        "# a comment",
        "",
        "    b \\",
        "  -- c",
        "copy --chown=1000:1000 --chmod=644 a b",
      ].join("\r\n"),
      "Containerfile",
    ),
  ).toEqual({
    from: "python:3.11-slim",
    lines: ["RUN a && b -- c", "COPY --chown=1000:1000 --chmod=644 a b"],
  });
});

test.each([
  ["ADD http://169.254.169.254/ /x"],
  ["add a.tar /x"],
  ["ONBUILD RUN x"],
  ["RUN --mount=type=bind,source=/,target=/host cat /host/etc/shadow"],
  ["run \\", "--mount=type=cache,target=/x true"],
  ["RUN --network=host wget x"],
  ["RUN --security=insecure x"],
  ["COPY --from=other:1 / /"],
  ["COPY --chown=1:1 --from=other:1 / /"],
  ["COPY <<EOF /x"],
  ["RUN cat <<EOF"],
  ["FROM other:1"],
  ["INCLUDE x"],
  ["%include x"],
  ["# escape=`"],
])("what podman would do outside of a container is refused: %s", (...lines) => {
  expect(() => own(...lines)).toThrow(
    expect.objectContaining({ code: "E103", message: expect.stringContaining("cannot be built here, line ") }),
  );
});

test("the hint of a refused instruction names those that are taken, and no other", () => {
  let hint = "";
  try {
    own("ADD a /x");
  } catch (cause) {
    hint = (cause as { hint: string }).hint;
  }
  const named = hint.match(/\b[A-Z]{3,}\b/g) ?? [];
  expect(named).toEqual(expect.arrayContaining(["RUN", "ENTRYPOINT", "VOLUME", "CMD", "EXPOSE", "LABEL"]));
  for (const word of named.filter((each) => each !== "FROM" && each !== "NAME"))
    expect(() => own(`${word} a b`), word).not.toThrow();
  for (const word of ["ADD", "ONBUILD"]) expect(named).not.toContain(word);
});

test.each([
  "dir:/etc",
  "docker-archive:/tmp/x.tar",
  "oci:x",
  "oci-archive:x.tar:y",
  "containers-storage:x",
  "docker://x",
  "x@sha256:zz",
  "a:b/c",
  "a:b:c",
])("an image is named, and read from nowhere else: FROM %s", (image) => {
  expect(() => readContainerfile(`FROM ${image}`, "Containerfile")).toThrow(
    expect.objectContaining({
      code: "E103",
      message: "The version's Containerfile cannot be built here, line 1: FROM takes one image, by its name.",
    }),
  );
});

test.each([
  "base",
  "base:1",
  "docker:dind",
  "localhost/dir:latest",
  "localhost:5000/a/b-c_d.e:1.2-x",
  `docker.io/library/python:3.12@sha256:${"ab".repeat(32)}`,
  "ghcr.io/a/b",
])("an image is named as registries name it: FROM %s", (image) => {
  expect(readContainerfile(`FROM ${image} AS x`, "Containerfile").from).toBe(image);
});

test.each([["FROM scratch"], ["FROM $IMAGE"], ["FROM --platform=x base:1"], ["FROM"], ["RUN x"], [""], ["FROM ../x"]])(
  "a Containerfile that names no image is refused: %s",
  (text) => {
    expect(() => readContainerfile(text, "Containerfile")).toThrow(expect.objectContaining({ code: "E103" }));
  },
);

test("what an image is built from has one digest: by text, names and bytes, in any order", () => {
  const files = (...entries: [string, string][]) => new Map(entries.map(([name, text]) => [name, Buffer.from(text)]));
  const digest = contentDigest("FROM a\n", files(["a", "1"], ["b", "2"]));
  expect(contentDigest("FROM a\n", files(["b", "2"], ["a", "1"]))).toBe(digest);
  for (const other of [
    contentDigest("FROM b\n", files(["a", "1"], ["b", "2"])),
    contentDigest("FROM a\n", files(["a", "1"], ["b", "3"])),
    contentDigest("FROM a\n", files(["a", "1"], ["c", "2"])),
    contentDigest("FROM a\n", files(["a", "1"])),
  ]) {
    expect(other).not.toBe(digest);
  }
});

test("an image is named after agent and version, and no two of them alike", () => {
  const name = (agent: string, version = "1.2.0", snapshot: string | null = null) =>
    imageName(agent, version, snapshot);
  expect(name("ai.example.clerk")).toBe("localhost/kai-agent-ai.example.clerk:1.2.0");
  expect(name("ai.example.clerk", "1.2.0-rc.1+b.2", "01ABC")).toBe(
    "localhost/kai-agent-ai.example.clerk:1.2.0-rc.1_b.2__01abc",
  );
  const odd = ["AI.Example", "ai.example", "ai._example", "ai-example", "ai--example", "aiexample_", "a".repeat(128)];
  expect(new Set(odd.map((each) => name(each))).size).toBe(odd.length);
  for (const each of odd) {
    expect(name(each)).toMatch(/^localhost\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*:[\w][\w.-]{0,127}$/);
  }
  expect(name("a", `1.2.0-${"x".repeat(200)}`).split(":")[1]).toHaveLength(128);
  const like = (written: string) => written.slice("localhost/kai-agent-".length).split(":");
  const [marked = ""] = like(name("Ai.Example"));
  for (const pretender of [marked, marked.replace("__", "-"), marked.replace("__", "_")]) {
    expect(name(pretender)).not.toBe(name("Ai.Example"));
  }
  const ulid = "01JF8Z6Y2N5XW3V7T9RQKPMHCD";
  for (const pretender of [`1.0.0-${ulid.toLowerCase()}`, `1.0.0+${ulid.toLowerCase()}`]) {
    expect(name("a", pretender)).not.toBe(name("a", "1.0.0", ulid));
  }
  const long = `1.2.0-${"x".repeat(200)}`;
  expect(name("a", like(name("a", long))[1]?.replace("__", "-"))).not.toBe(name("a", long));
});
