import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { placeAt } from "../scenarios/place.js";
import { scratch } from "../support/scratch.js";

const { version } = (await import("../../package.json", { with: { type: "json" } })).default;

test("an agent that is not there is told from those that are", async () => {
  const { dir, env } = scratch();
  const place = placeAt(dir, env);
  for (const name of ["clerk", "courier"]) {
    mkdirSync(path.join(dir, name));
    writeFileSync(path.join(dir, name, "kai.yaml"), "");
  }
  // No agent.
  mkdirSync(path.join(dir, "photos"));
  const kai = (agents: string, ...args: string[]) => place.run("kai", args, { env: { KAI_AGENTS: agents } });
  expect(await kai(dir, "list", "clrek")).toMatchInlineSnapshot(`
    Error E104: There is no agent clrek in <agent>.
    Hint: Did you mean clerk? The agents in it: clerk, courier. $KAI_AGENTS names the folder of your agents (default: ~/agents); a path, such as \`./clerk\`, is taken too.
    [exit 1]
  `);
  expect((await kai(dir, "list", "nosuch")).stderr).toContain(
    "Hint: The agents in it: clerk, courier. $KAI_AGENTS names",
  );
  expect((await kai(path.join(dir, "none"), "list", "nosuch")).stderr).toContain("Hint: There is no agent in it.");
  const document = (await kai(dir, "list", "nosuch", "--json")).json();
  expect(document).toMatchObject({ error: { code: "E104", agents: ["clerk", "courier"] } });
});

test("the version is said for people and for programs", async () => {
  const { dir, env } = scratch();
  const place = placeAt(dir, env);
  for (const asked of [["--version"], ["-v"]]) {
    expect((await place.kai(...asked)).stdout).toBe(`git kai-version ${version}\n`);
    expect((await place.run("kai", asked)).stdout).toBe(`git kai-version ${version}\n`);
    for (const args of [
      [...asked, "--json"],
      ["--json", ...asked],
    ]) {
      expect((await place.kai(...args)).json()).toEqual({ schemaVersion: 1, version });
    }
  }
});

test.each(["git-kai-version", "kai"])("%s that was not built yet says so", async (name) => {
  const { dir, env } = scratch();
  mkdirSync(path.join(dir, "bin"));
  copyFileSync(fileURLToPath(new URL(`../../bin/${name}`, import.meta.url)), path.join(dir, "bin", name));
  const ran = await placeAt(dir, env).run(process.execPath, [path.join(dir, "bin", name)]);
  expect(ran).toMatchObject({ exit: 1, stdout: "" });
  expect(ran.stderr).toContain("Hint: `npm run build` in its folder builds it.");
});
