/** `git log` whose output no setting of the user's alters: `log.showSignature` and other encodings would. */
export const PLAIN_LOG = [
  "log",
  "--no-show-signature",
  "--encoding=UTF-8",
  "--no-color",
  "--no-notes",
  "--no-mailmap",
] as const;
