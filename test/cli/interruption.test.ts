import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { scratch } from "../support/scratch.js";

test("an interrupted run cleans up first and then ends by the same signal", async () => {
  const { dir, env } = scratch();
  const program = path.join(dir, "program.mjs");
  await build({
    stdin: {
      contents: `
        import { interruptible } from "./src/cli/interruption.js";
        const keep = setInterval(() => {}, 1000);
        await interruptible((signal) => new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => { console.log("cleaned up"); clearInterval(keep); reject(signal.reason); });
          console.log("running");
        }));`,
      resolveDir: fileURLToPath(new URL("../..", import.meta.url)),
    },
    bundle: true,
    platform: "node",
    format: "esm",
    outfile: program,
  });
  const child = spawn(process.execPath, [program], { env, stdio: ["ignore", "pipe", "ignore"] });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    if (said === "running\n") child.kill("SIGTERM");
  });
  const [, signal] = await once(child, "close");
  expect({ said, signal }).toEqual({ said: "running\ncleaned up\n", signal: "SIGTERM" });
});
