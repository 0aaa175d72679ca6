const PLAIN_KEY = /^[A-Za-z_][\w-]*$/;
const WORDS_OF_YAML = new Set(["null", "true", "false"]);

/** A string key as it stands in a path: `timeout`, or `"max.tokens"` where it would be misread. */
export function keySegment(name: string): string {
  return PLAIN_KEY.test(name) && !WORDS_OF_YAML.has(name) ? name : JSON.stringify(name);
}

/** `a` and `b` -> `a.b`. */
export function childPath(parent: string, segment: string): string {
  return parent === "" ? segment : `${parent}.${segment}`;
}

/** `a` and 2 -> `a[2]`. */
export function itemPath(parent: string, index: number): string {
  return `${parent}[${index}]`;
}
