// `npm run test:newest [-- FILTER...]`: the same tests on the newest long-term release of Node, which the npm package `node` brings.
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

const NEWEST_LTS = "26";

const root = fileURLToPath(new URL("..", import.meta.url));
const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ["npm"];
const [file, ...before] = npm;
const { status } = spawnSync(
  file,
  [
    ...before,
    "exec",
    "--yes",
    `--package=node@${NEWEST_LTS}`,
    "--",
    "node",
    path.join(root, "scripts", "test.mjs"),
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: "inherit", env: { ...process.env, npm_config_cache: path.join(root, ".cache", "npm") } },
);
process.exitCode = status ?? 1;
