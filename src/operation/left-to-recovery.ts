import { KaiError } from "../error.js";
import { reasonOf } from "../system/reason-of.js";

/** E114: what has happened, or may have, and why not all of it is in place. */
export function leftToRecovery(what: string, cause: unknown): KaiError {
  const { code, syscall, message, path, dest = path } = cause as NodeJS.ErrnoException & { dest?: string };
  const recover = "`git kai-version recover` brings it to its end.";
  // Where the system refused something, recovery alone would meet the same.
  const refused = code === "E118" || syscall !== undefined;
  const why = syscall === undefined || dest === undefined ? message : `${dest}: ${reasonOf(cause)}.`;
  return new KaiError("E114", `${what}: ${why}`, {
    hint: refused ? `Mend the disk or the permissions there; then ${recover}` : recover,
    cause,
  });
}
