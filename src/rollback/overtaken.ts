import { KaiError } from "../error.js";
import type { InForce } from "../operation/entry.js";

/** What was in force when a rollback was decided on: its `current` tag, which each move makes anew; null where nothing was. */
export type DecidedOn = InForce["pointer"] | null;

/** Refuses (E113) a rollback whose reason was judged of something that is in force no more: another operation came between. */
export function requireNotOvertaken(current: InForce | null, decidedOn: DecidedOn | undefined): void {
  if (decidedOn === undefined || (current?.pointer ?? null) === decidedOn) return;
  throw new KaiError("E113", "Another operation put something else in force since the condition was judged.", {
    hint: "Nothing was changed: run it again, and it judges what is in force now.",
    data: { overtaken: true },
  });
}

/** Whether that is why it was refused. */
export const isOvertaken = (cause: unknown): boolean => cause instanceof KaiError && cause.data?.["overtaken"] === true;
