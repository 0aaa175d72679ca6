import { versionInForce } from "../version/history.js";
import { requireCommit } from "../version/work-tree-status.js";
import type { WritingSession } from "../version/writing-session.js";
import { newestTag } from "./newest-version.js";

type Asking = Pick<WritingSession, "reader" | "history" | "status">;

/**
 * Why no version has to be made of what is committed, a few words; undefined where the branch holds what neither the version in
 * force nor the one that was made last has, and HEAD is none.
 */
export async function whyNothingNew({ reader, history, status }: Asking): Promise<string | undefined> {
  const head = requireCommit(await status);
  const inForce = versionInForce(history);
  const newest = newestTag(history);
  const made = history.versions.find(({ tag }) => tag === newest);
  const [here, ...there] = await Promise.all(
    [head, inForce?.commit, made?.commit].map((commit) => commit && reader.find(`${commit}^{tree}`)),
  );
  const [asInForce, asMade] = there.map((tree) => here && tree && here.id === tree.id);
  if (inForce && asInForce) return `nothing has changed since ${inForce.number.text}`;
  const holds = asMade ? made : history.versions.findLast(({ type, commit }) => type !== "foreign" && commit === head);
  return holds && `what is committed is ${holds.number.text} already`;
}
