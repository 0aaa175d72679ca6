/**
 * Lets a reader such as `head` close the pipe before it has read all: nobody wants the rest, and nothing failed. Anything
 * else that keeps stdout from being written, a full disk say, ends the process with 1 and is said.
 */
export function tolerateClosedPipes(streams: Pick<NodeJS.Process, "stdout" | "stderr">): void {
  streams.stderr.on("error", () => {});
  streams.stdout.on("error", (cause: NodeJS.ErrnoException) => {
    if (cause.code === "EPIPE") return;
    streams.stderr.write(`Error E118: The output could not be written: ${cause.message}\n`);
    process.exit(1);
  });
}
