import { type ScalarSchema, text } from "../schema.js";

/** A tag name with `{version}` exactly once, good by the rules of git-check-ref-format(1), and never `current`. */
export const TAG_FORMAT: ScalarSchema<string> = text("v{version}", {
  expected: "a good tag name with {version} exactly once",
  test: (format) => format.split("{version}").length === 2 && isTagName(format.replace("{version}", "1.0.0")),
});

// biome-ignore lint/suspicious/noControlCharactersInRegex: git allows none
const NEVER_IN_A_REF = /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|\/$|\.$|^[-/]/;

function isTagName(name: string): boolean {
  return (
    !NEVER_IN_A_REF.test(name) &&
    name.length <= 200 &&
    name.split("/").every((part) => !part.startsWith(".") && !part.endsWith(".lock"))
  );
}
