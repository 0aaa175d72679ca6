import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The command-line tests drive the program as it ships, so it is bundled once before them. */
export function setup(): void {
  execFileSync(process.execPath, [fileURLToPath(new URL("../../scripts/build.mjs", import.meta.url))], {
    stdio: "inherit",
  });
}
