import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { scratch } from "../support/scratch.js";

const SRC = fileURLToPath(new URL("../../src", import.meta.url));

/** What the sources take of libraries that they import when they need them: `name of library`. */
function takenLate(): string[] {
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const texts = files.map((name) => readFileSync(path.join(SRC, name), "utf8"));
  const taken = texts.flatMap((text) =>
    Array.from(text.matchAll(/const \{ ([^}]+) \} = await import\("([a-z@][^":]*)"\)/g), ([, names = "", library]) =>
      names.split(", ").map((name) => `${name.split(":")[0]} of ${library}`),
    ),
  );
  return [...new Set(taken.flat())].sort();
}

// Of a library in CommonJS a bundle has no names when it is imported late, which the sources run from files have.
test("what is taken of a library late is there in the bundle, too", async () => {
  const taken = takenLate();
  expect(taken.length).toBeGreaterThan(1);
  const { dir } = scratch();
  const asked = taken.map((each) => each.split(" of ") as [string, string]);
  const lines = asked.map(([name, library]) => `["${name} of ${library}", (await import("${library}"))["${name}"]]`);
  const { outputFiles } = await build({
    stdin: { contents: `export default [${lines.join(",\n")}]`, resolveDir: SRC },
    bundle: true,
    format: "esm",
    platform: "node",
    write: false,
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  });
  const file = path.join(dir, "bundle.mjs");
  writeFileSync(file, outputFiles[0]?.contents ?? "");
  const script = `import all from ${JSON.stringify(file)}; console.log(JSON.stringify(all.filter(([, it]) => it === undefined)))`;
  const missing = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  expect(JSON.parse(missing)).toEqual([]);
});
