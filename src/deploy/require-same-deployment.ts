import type { History, KnownVersion } from "../version/history.js";
import type { Deployment } from "./deployment.js";
import { brokenSeal } from "./seal.js";

/** Refuses (E102) a folder that was written for another version than this one, or that is not the one that the log tells of. */
export function requireSameDeployment(
  { folder, seal, digest }: Deployment,
  version: KnownVersion | undefined,
  history: History,
): void {
  if (seal.raw.toString("latin1") !== version?.latin1) {
    throw brokenSeal(folder, `the tag that it was written for is not this agent's ${version?.tag ?? seal.tag.name}`);
  }
  const logged = history.findEntry((entry) => entry.details["path"] === folder)?.details["digest"];
  if (typeof logged === "string" && logged !== digest) {
    throw brokenSeal(folder, "what is installed there is not what was deployed");
  }
}
