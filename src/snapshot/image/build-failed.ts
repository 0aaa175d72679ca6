import { stripVTControlCharacters } from "node:util";
import { KaiError } from "../../error.js";
import type { BuildResult } from "../../podman/build-image.js";
import type { SnapshotSettings } from "../snapshot-settings.js";
import type { Recipe } from "./recipe.js";

/** Where packages come from, unless the version says otherwise. */
const REGISTRIES: Readonly<Record<Recipe["kind"], readonly string[]>> = {
  python: ["pypi.org", "files.pythonhosted.org"],
  node: ["registry.npmjs.org"],
  own: [],
};
/** What podman adds to the words of a command that failed, and installers to their own. */
const CHATTER =
  /^(?:Error: building at STEP|error building at STEP|container exited on |time=|STEP |-->|: exit status|\[notice\]|npm notice|npm error A complete log)/;
/** What resolvers, installers and fetching programs say where they reach nothing. */
const FAILED_FETCH =
  /name resolution|could(?:n't| not) resolve|unable to resolve|failure resolving|name or service not known|no such host|bad address|getaddrinfo|\bE(?:AI_AGAIN|NOTFOUND|NETUNREACH|HOSTUNREACH|CONNREFUSED|CONNRESET|TIMEDOUT)\b|network is unreachable|no route to host|connection (?:refused|reset|timed out)|failed to establish a new connection|(?:failed|unable) to (?:fetch|download|connect)|could not be fetched|no matching distribution|could not find a version|unable to locate package|unable to select packages|dns lookup|temporary error|request to https?:\S+ failed/i;
const FAILED_COPY = /checking on sources|escaping context directory|no items matching glob/;
/** What hostile code asked for stands in a command that somebody may copy. */
const HOST = /^[a-z0-9][a-z0-9.-]{0,252}$/i;
const COPIED =
  "COPY finds what is of `artifacts.environment`, lock files, and `package.json`, `pyproject.toml` and `Pipfile` at the top; the Containerfile itself and ignore files it does not.";
const MOST_HOSTS = 8;
const LONGEST = 600;
const KEPT_LINES = 20;

/** E103 with the last words of the build, and what would let it through. */
export function buildFailed(
  version: string,
  recipe: Recipe,
  { network, limits }: SnapshotSettings,
  { timedOut, output, refused }: BuildResult & { readonly refused: readonly string[] },
): KaiError {
  const lines = output.split("\n").map(plain).filter(Boolean);
  // What earlier steps printed did not fail.
  const said = lines.slice(lines.findLastIndex((line) => line.startsWith("STEP ")) + 1);
  const spoken = said.filter((line) => !CHATTER.test(line));
  const words =
    spoken.at(-1) ?? lines.findLast((line) => /^error: /i.test(line)) ?? lines.at(-1) ?? "podman said nothing";
  const why = timedOut ? `it took longer than ${limits.timeoutMs / 1000} s` : words;
  return new KaiError("E103", `The image of ${version} could not be built: ${why}`, {
    hint: timedOut
      ? "`--timeout` (resource_limits.timeout) gives it more; what is built once is kept."
      : hintFor(recipe, network, { refused, isFetch: spoken.some((line) => FAILED_FETCH.test(line)), words }),
    data: { output: lines.slice(-KEPT_LINES), refused },
  });
}

interface Failure {
  readonly refused: readonly string[];
  /** Whether something was not reached, as far as its words tell. */
  readonly isFetch: boolean;
  readonly words: string;
}

function hintFor(
  { kind }: Recipe,
  { mode }: SnapshotSettings["network"],
  { refused, isFetch, words }: Failure,
): string {
  const asIs = "`--image NAME` uses an image as it is.";
  const hosts =
    refused.length > 0
      ? refused.filter((host) => HOST.test(host)).slice(0, MOST_HOSTS)
      : mode === "none" && isFetch
        ? REGISTRIES[kind]
        : [];
  if (hosts.length > 0) {
    const options = hosts.map((host) => ` --allow-host ${host}`).join("");
    return `A build reaches what the sandbox may reach. \`--network isolated${options}\` lets it have its packages, once; ${asIs}`;
  }
  if (mode === "none" && isFetch) return `A build reaches what the sandbox may reach, and that is nothing. ${asIs}`;
  if (FAILED_COPY.test(words)) return `${COPIED} ${asIs}`;
  return `\`--json\` has the last lines of the build (\`output\`). ${asIs}`;
}

/** What hostile code has printed, fit to be shown. */
const plain = (line: string): string =>
  stripVTControlCharacters(line)
    .replace(/[^\x20-\x7e]/g, " ")
    .trim()
    .slice(0, LONGEST);
