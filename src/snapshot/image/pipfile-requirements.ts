import { KaiError } from "../../error.js";

interface Locked {
  readonly version?: unknown;
  readonly markers?: unknown;
  readonly hashes?: unknown;
}

const NAME = /^[A-Za-z0-9][\w.-]*$/;
const VERSION = /^={2,3}[\w.!+-]+$/;
/** PEP 508: names, versions in quotes, comparisons. */
const MARKERS = /^(?!.*--)[\w\s.'"<>=!~(),+-]+$/;
const HASH = /^\w+:[0-9a-f]+$/;

/** The default packages of a Pipfile.lock as pip reads them. E103 for one that pip cannot have from it. */
export function pipfileRequirements(text: string): string {
  const packages = Object.entries(defaultOf(text));
  return packages.map(([name, locked]) => `${requirementOf(name, locked ?? {})}\n`).join("");
}

function defaultOf(text: string): Record<string, Locked | null> {
  try {
    const { default: packages } = JSON.parse(text) as { default?: Record<string, Locked | null> };
    return packages ?? {};
  } catch (cause) {
    throw new KaiError("E103", "The image cannot be built: Pipfile.lock is not JSON.", {
      hint: "`pipenv lock` writes it anew; `--image NAME` uses an image as it is.",
      cause,
    });
  }
}

function requirementOf(name: string, { version, markers, hashes }: Locked): string {
  const hash = Array.isArray(hashes) ? hashes.map(String) : [];
  const marker = typeof markers === "string" ? markers : undefined;
  const isPlain =
    NAME.test(name) &&
    typeof version === "string" &&
    VERSION.test(version) &&
    (marker === undefined || MARKERS.test(marker)) &&
    hash.every((each) => HASH.test(each));
  if (!isPlain) {
    throw new KaiError("E103", `The image cannot be built: Pipfile.lock holds ${JSON.stringify(name)} at no version.`, {
      hint: "Write a Containerfile that installs it, or a requirements.txt; `--image NAME` uses an image as it is.",
    });
  }
  const condition = marker === undefined ? "" : ` ; ${marker.replace(/\s+/g, " ")}`;
  return [`${name}${version}${condition}`, ...hash.map((each) => `--hash=${each}`)].join(" ");
}
