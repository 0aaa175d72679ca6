/**
 * Lets a reader such as `head` close the pipe before it has read all: nobody wants the rest, and nothing failed. Anything
 * else that keeps stdout from being written, a full disk say, ends the process with 1 and is said.
 */
export function tolerateClosedPipes(): void {
  process.stdout.on("error", (cause: NodeJS.ErrnoException) => {
    if (cause.code === "EPIPE") return;
    writeToStderr(`Error E118: The output could not be written: ${cause.message}\n`);
    process.exit(1);
  });
}

let isTolerant = false;

/** Writes to stderr, which is made only where something is written to it; nobody has to read it. */
export function writeToStderr(text: string | Uint8Array): void {
  if (!isTolerant) process.stderr.on("error", () => {});
  isTolerant = true;
  process.stderr.write(text);
}
