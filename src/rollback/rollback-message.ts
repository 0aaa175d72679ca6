import type { RollbackRequest } from "./request.js";
import type { Ground } from "./survey.js";

/** What goes back, where that is a part; a path may hold line breaks, and what is said of it is one line. Null for all. */
export function partsOf({
  type,
  components,
  paths,
}: Pick<RollbackRequest, "type" | "components" | "paths">): string | null {
  if (type !== "selective" && type !== "partial") return null;
  return (components.length > 0 ? components : paths).join(", ").replace(/\s+/g, " ");
}

/** The commit says which commits it undoes in git's own words, and in trailers what it is. */
export function rollbackMessage(
  { from, target, undone }: Ground,
  { type, components, paths }: RollbackRequest,
  operation: string,
  minted: string | undefined,
): string {
  const parts = partsOf({ type, components, paths });
  const whole = parts === null;
  const name = target.version?.tag ?? `what was before ${target.name}`;
  const subject = whole ? `Roll back to ${name}` : `Roll back ${parts} to ${name}`;
  // Of a part, nobody can say which commits are undone.
  const reverts = whole ? undone.map((commit) => `This reverts commit ${commit}.`).join("\n") : "";
  const trailers = [
    `Kai-Operation: ${operation}`,
    ...(from ? [`Kai-Rollback-From: ${from.number.text}`] : []),
    `Kai-Rollback-To: ${target.version?.number.text ?? target.name}`,
    ...(minted === undefined ? [] : [`Kai-Version: ${minted}`]),
    `Kai-Components: ${whole ? "all" : components.length > 0 ? components.join(" ") : "part"}`,
  ];
  return [subject, ...(reverts === "" ? [] : [reverts]), trailers.join("\n")].join("\n\n");
}
