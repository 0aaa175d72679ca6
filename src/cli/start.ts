import { tolerateClosedPipes } from "./closed-pipe.js";
import { PROGRAM_VERSION } from "./program-version.js";

/** Runs one command line in this process, whose exit status it sets. The version is said without loading anything else. */
export async function start(argv: readonly string[]): Promise<void> {
  tolerateClosedPipes(process);
  if (argv.length === 1 && argv[0] === "--version") {
    process.stdout.write(`git kai-version ${PROGRAM_VERSION}\n`);
    return;
  }
  const { main } = await import("./main.js");
  process.exitCode = await main(argv, process.env);
}
