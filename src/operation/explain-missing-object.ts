import { KaiError } from "../error.js";

/** Words of git, and ours, for an object that is not there. */
const MISSING =
  /not a tree object|error building trees|(?:bad|invalid) object|unable to (?:read|find)|failed to write object|lacks (?:an object|the \w+ )|object of unexpected type/;

/** A failure for want of an object, with the way on where somebody else pruned it under our hands; others as they are. */
export function explainMissingObject(cause: unknown): unknown {
  if (!(cause instanceof KaiError) || cause.code !== "E116") return cause;
  const words = `${cause.message}\n${String(cause.data?.["stderr"] ?? "")}`;
  if (!MISSING.test(words)) return cause;
  return new KaiError("E116", cause.message, {
    hint: "Nothing was changed. If `git prune` or `git repack` ran at this moment, run it again; else `git fsck` shows what is missing, to be fetched from a complete clone.",
    data: cause.data,
    cause,
  });
}
