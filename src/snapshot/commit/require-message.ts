import { KaiError } from "../../error.js";

/** E122 for a commit's message that says nothing; undefined leaves it to the commit. */
export function requireMessage(message: string | undefined): void {
  if (message?.trim() !== "") return;
  throw new KaiError("E122", "The message says nothing.", { hint: "Say what was changed, or leave out `-m`." });
}
