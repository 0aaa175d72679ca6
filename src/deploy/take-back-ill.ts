import { KaiError } from "../error.js";
import { behindColon } from "../system/why-failed.js";
import { type Caller, withWritingSession } from "../version/writing-session.js";
import { undoDeployment } from "./undo-deployment.js";

/**
 * Takes a deployment back whose agent was not well any more behind the switch, as its failure says, so that what was there before
 * is there again. Throws it in any case, with what became of that; any other failure as it is.
 */
export async function takeBackIll(
  caller: Caller,
  cause: unknown,
  options: { readonly trustCommands: boolean },
): Promise<never> {
  const operation = cause instanceof KaiError && cause.code === "E126" ? cause.data?.["operation"] : undefined;
  if (!(cause instanceof KaiError) || typeof operation !== "string") throw cause;
  const told = (now: string, back: string | null) =>
    new KaiError("E126", `${cause.message} ${now}`, { hint: cause.hint, data: { ...cause.data, back } });
  const undoing = withWritingSession(caller, { purpose: "undo", untracked: "no" }, async (session) => {
    const entry = session.history.findEntry(({ id }) => id === operation);
    if (entry === undefined) throw cause;
    return undoDeployment(session, entry, { ...options, dryRun: false });
  });
  const undone = await undoing.catch((failure: Error) => {
    throw told(`It could not be taken back, and no agent runs now: ${behindColon(failure.message)}`, null);
  });
  const now = undone.tag === null ? "Nothing is deployed now, as before" : `${undone.tag} is deployed again`;
  throw told(`${now}${undone.started ? ", and the agent of before is well" : ""}.`, undone.operation);
}
