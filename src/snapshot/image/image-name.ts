import { createHash } from "node:crypto";
import { BUILT_PREFIX } from "../../podman/built-images.js";

const LONGEST_TAG = 128;
const LONGEST_NAME = 100;
const MARK = 8;
/** In no version number, and in no id that is written as it is: what follows is ours. */
const APART = "__";

/**
 * The name of the image of an agent's version: `localhost/kai-agent-ai.example.clerk:1.2.0`. What an image's name cannot hold is
 * written otherwise, and then a part of a digest keeps two ids apart. `snapshot` is the one whose saved files it is built from.
 */
export function imageName(agent: string, version: string, snapshot: string | null): string {
  // A version number has no underscore, and a tag no plus.
  const tag = `${version.replaceAll("+", "_")}${snapshot === null ? "" : `${APART}${snapshot.toLowerCase()}`}`;
  return `${BUILT_PREFIX}${fitted(agent, agentWord(agent), LONGEST_NAME)}:${fitted(tag, tag, LONGEST_TAG)}`;
}

const agentWord = (agent: string): string =>
  agent
    .toLowerCase()
    .replace(/[._-]{2,}/g, "-")
    .replace(/[._-]$/, "");

function fitted(written: string, word: string, longest: number): string {
  if (word === written && word.length <= longest) return word;
  const mark = createHash("sha256").update(written).digest("hex").slice(0, MARK);
  return `${word.slice(0, longest - MARK - APART.length).replace(/[._-]+$/, "")}${APART}${mark}`;
}
