import { KaiError } from "../error.js";
import type { Fallbacks, NotHeld } from "./fall-back.js";

const bare = (sentence: string | null): string => (sentence ?? "it was not well").replace(/\.$/, "");

/**
 * E127: `what` (such as "The rollback to 1.0.0") did not hold, why, what is in force now, and what became of each way out. It ends
 * with status 1 where one held, else with `exit`.
 */
export function didNotHold(
  what: string,
  { version, steps, backup = null }: Pick<NotHeld, "version" | "steps"> & { readonly backup?: string | null },
  { tried, untried, inForce }: Fallbacks,
  { exit, data }: { readonly exit: number; readonly data: Readonly<Record<string, unknown>> },
): KaiError {
  const why = steps.find(({ status }) => status === "failed");
  const held = tried.find(({ ok }) => ok);
  const stays = inForce === version ? `${version} stays in force` : `${inForce ?? "Nothing"} is in force now`;
  const now = held ? `${held.to} is in force instead (${held.strategy})` : stays;
  const failed = tried.filter(({ ok }) => !ok).map(({ strategy, error }) => `${strategy}: ${bare(error)}. `);
  const others = untried.map((each) => `${each.strategy} was not tried: ${each.why}. `);
  const kept =
    backup === null
      ? []
      : [`What was replaced of your files is kept: \`git checkout ${backup} -- PATH\` brings it back. `];
  const next = held
    ? "`git kai-version log` tells the story; `rollback --suggest` ranks other versions."
    : "`git kai-version undo` takes the last step back; `rollback --suggest` ranks other versions.";
  return new KaiError("E127", `${what} did not hold: ${bare(why?.error ?? null)}. ${now}.`, {
    hint: [...failed, ...others, ...kept, next].join(""),
    ...(held === undefined && { exit }),
    data: { ...data, fallbacks: tried, untried, recovered: held ?? null, inForce },
  });
}
