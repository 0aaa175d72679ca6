/** An agent's id stands in file names, ref names, image names and trailers, so it has nothing that any of them minds. */
export const AGENT_ID = {
  expected:
    "up to 128 letters, digits and . _ - that begins with a letter or digit, without .. and without . or .lock at the end",
  pattern: /^(?!.*\.\.)(?!.*\.lock$)[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9_-])?$/,
};
