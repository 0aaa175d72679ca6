import { whyUnsafeName } from "./unsafe-name.js";

/**
 * Why a link at `path` to `target` (both bytes as latin1 text) may be in no version; undefined where it stays inside. Only its
 * words are looked at: it may go up first, not further than to the top, and only down from there. `..` behind a name is refused,
 * because that name may be a link itself, whose parent is somewhere else.
 */
export function whyUnsafeLink(path: string, target: string): string | undefined {
  if (target === "") return "a link to nothing";
  if (target.startsWith("/")) return "a link to an absolute path";
  const steps = target.split("/").filter((step) => step !== "" && step !== ".");
  const ups = steps.findIndex((step) => step !== "..");
  const leading = ups === -1 ? steps.length : ups;
  if (leading > path.split("/").length - 1) return "a link that leaves the agent's folder";
  // What is written through it would steer git itself.
  if (steps.some((step) => whyUnsafeName(step) !== undefined)) return "a link into a repository's own folder";
  if (steps.slice(leading).includes("..")) return "a link that goes up behind a name";
  return undefined;
}
