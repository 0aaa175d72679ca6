import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { scratch } from "../support/scratch.js";

const SCRIPTS = fileURLToPath(new URL("../../scripts", import.meta.url));

/** A clone with nothing installed, whose npm and build only write down that they ran. */
function freshClone() {
  const { dir, env } = scratch();
  const write = (file: string, text: string) => {
    mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
    writeFileSync(path.join(dir, file), text);
  };
  for (const name of ["bootstrap.mjs", "bootstrap-packages.mjs"]) {
    mkdirSync(path.join(dir, "scripts"), { recursive: true });
    copyFileSync(path.join(SCRIPTS, name), path.join(dir, "scripts", name));
  }
  write("package.json", "{}");
  write("package-lock.json", "{}");
  write("src/index.ts", "1");
  const say = (line: string) => `fs.appendFileSync("ran", ${JSON.stringify(`${line}\n`)});`;
  write(
    "fake-npm.cjs",
    `const fs = require("node:fs"); ${say("npm")}
     fs.appendFileSync("ran", process.argv[2] + "\\n");
     fs.mkdirSync("node_modules", { recursive: true }); fs.writeFileSync("node_modules/.package-lock.json", "{}");
     process.exitCode = fs.existsSync("npm-fails") ? 1 : 0;`,
  );
  write(
    "scripts/build.mjs",
    `import fs from "node:fs"; ${say("build")}
     fs.rmSync("dist", { recursive: true, force: true });
     fs.mkdirSync("dist/cli", { recursive: true }); fs.writeFileSync("dist/cli/git-kai-version.cjs", "");`,
  );
  const bootstrap = (purpose: string) => {
    rmSync(path.join(dir, "ran"), { force: true });
    const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/bootstrap.mjs", purpose], {
      cwd: dir,
      env: { ...env, npm_execpath: path.join(dir, "fake-npm.cjs") },
      encoding: "utf8",
    });
    const ran = existsSync(path.join(dir, "ran")) ? readFileSync(path.join(dir, "ran"), "utf8").split("\n") : [];
    return { status, stdout, stderr, ran: ran.filter(Boolean) };
  };
  return { dir, write, bootstrap };
}

test("a fresh clone gets libraries and the program, a second run does nothing", () => {
  const { bootstrap } = freshClone();
  expect(bootstrap("demo")).toMatchObject({ status: 0, stdout: "", ran: ["npm", "ci", "build"] });
  expect(bootstrap("demo")).toEqual({ status: 0, stdout: "", stderr: "", ran: [] });
});

test("the tests build for themselves, so only libraries are installed for them", () => {
  expect(freshClone().bootstrap("test").ran).toEqual(["npm", "ci"]);
});

test("a changed lock file installs anew, and so does an installation that was interrupted", () => {
  const { dir, write, bootstrap } = freshClone();
  bootstrap("test");
  write("package-lock.json", '{"changed": true}');
  utimesSync(path.join(dir, "package-lock.json"), new Date(), new Date(Date.now() + 5000));
  expect(bootstrap("test").ran).toEqual(["npm", "ci"]);
  rmSync(path.join(dir, "node_modules", ".package-lock.json"));
  expect(bootstrap("test").ran).toEqual(["npm", "ci"]);
});

test("a lock file that was only touched installs nothing", () => {
  const { dir, bootstrap } = freshClone();
  bootstrap("test");
  utimesSync(path.join(dir, "package-lock.json"), new Date(), new Date(Date.now() + 5000));
  expect(bootstrap("test").ran).toEqual([]);
});

test("changed sources are built anew, and so is a program that somebody else built or removed", () => {
  const { dir, write, bootstrap } = freshClone();
  bootstrap("demo");
  write("src/new/file.ts", "2");
  expect(bootstrap("demo").ran).toEqual(["build"]);
  utimesSync(path.join(dir, "dist/cli/git-kai-version.cjs"), new Date(), new Date(Date.now() + 5000));
  expect(bootstrap("demo").ran).toEqual(["build"]);
  rmSync(path.join(dir, "dist"), { recursive: true });
  expect(bootstrap("demo").ran).toEqual(["build"]);
});

test("a failed installation is said and ends with status 1", () => {
  const { write, bootstrap } = freshClone();
  write("npm-fails", "");
  const { status, stderr, ran } = bootstrap("demo");
  expect({ status, ran }).toEqual({ status: 1, ran: ["npm", "ci"] });
  expect(stderr).toContain("npm ci failed.");
});
