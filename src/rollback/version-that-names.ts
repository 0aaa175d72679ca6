import { CONFIG_FILE } from "../version/agent-repository.js";
import type { KnownVersion } from "../version/history.js";
import type { WritingSession } from "../version/writing-session.js";
import type { Ground } from "./survey.js";

/** Of the newest versions so many are looked at. */
const SEARCHED = 50;

/**
 * The version whose kai.yaml, byte for byte, the commands are taken from; undefined where no version that is looked at has
 * it: then nobody has signed for what they are.
 */
export async function versionThatNames(
  { reader, history }: WritingSession,
  ground: Ground,
): Promise<KnownVersion | undefined> {
  const { from, target, toTree, version } = ground;
  if (target.config === null) return from;
  const named = (await reader.find(`${toTree}:${CONFIG_FILE}`))?.id;
  for (const each of [target.version, version ?? undefined, target.onTop, from]) {
    if (each && (await reader.find(`${each.commit}:${CONFIG_FILE}`))?.id === named) return each;
  }
  // Of what an operation left a version may have been made since, or just before it.
  for (const each of history.versions.slice(-SEARCHED).reverse()) {
    if ((await reader.find(`${each.commit}^{tree}`))?.id === toTree) return each;
  }
  return undefined;
}
