// `npm test [-- FILTER...]`: prepares what is missing, runs the tests, and counts them in the last line.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { bootstrap } from "./bootstrap.mjs";
import { countTests } from "./test-count.mjs";
import { ownEnvironment, removeFolder, temporaryFolder } from "./test-environment.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

bootstrap("test");

const folder = temporaryFolder("kai-t-");
const results = path.join(folder, "results.json");
const child = spawn(
  process.execPath,
  [
    path.join(root, "node_modules", "vitest", "vitest.mjs"),
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${results}`,
    ...process.argv.slice(2),
  ],
  { cwd: root, env: ownEnvironment(folder), stdio: ["ignore", "inherit", "inherit"] },
);
// Vitest hears of Ctrl-C by itself, being in the same process group; the count and the clean-up come after it.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => child.kill("SIGTERM"));

child.on("close", (status) => {
  const report = existsSync(results) ? readFileSync(results, "utf8") : undefined;
  removeFolder(folder);
  const { passed, failed } = countTests(report, status);
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
});
