import { PROGRAM_VERSION } from "./program-version.js";
import { writeTo } from "./standard-output.js";

/** `kai` names an agent behind the command. */
export type Program = "git kai-version" | "kai";

/** Runs one command line in this process, whose exit status it sets. The version is said without loading anything else. */
export async function start(argv: readonly string[], program: Program = "git kai-version"): Promise<void> {
  if (asksForVersion(argv)) {
    const document = { schemaVersion: 1, version: PROGRAM_VERSION };
    const json = argv.includes("--json");
    writeTo("stdout", json ? `${JSON.stringify(document, null, 2)}\n` : `git kai-version ${PROGRAM_VERSION}\n`);
    return;
  }
  const { main } = await import("./main.js");
  process.exitCode = await main(argv, process.env, program);
}

/** `--version` or `-v`, with `--json` before or behind it, and nothing else. */
function asksForVersion(argv: readonly string[]): boolean {
  const words = argv.filter((word) => word !== "--json");
  return words.length === 1 && (words[0] === "--version" || words[0] === "-v");
}
