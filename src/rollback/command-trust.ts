import { commandTrustOf } from "../deploy/command-trust.js";
import { KaiError } from "../error.js";
import type { KnownVersion } from "../version/history.js";
import { requireTrustedCommands } from "../version/trusted-commands.js";
import type { WritingSession } from "../version/writing-session.js";

/** Commands that are going to be run, and the version whose kai.yaml names them; undefined where no version does. */
export interface CommandUse {
  readonly version: KnownVersion | undefined;
  readonly commands: readonly string[];
}

/**
 * Why commands of the repository may not be run here; null where they may, or there are none. `key` is the one that the
 * operation is signed with, where that is known already.
 */
export async function whyNotRun(
  session: WritingSession,
  uses: readonly CommandUse[],
  { trustCommands }: { readonly trustCommands: boolean },
  key = "",
): Promise<KaiError | null> {
  if (trustCommands) return null;
  for (const { version, commands } of uses) {
    if (commands.length === 0) continue;
    if (version === undefined) return notOfAVersion(commands);
    try {
      requireTrustedCommands(await commandTrustOf(session, version, { key, flag: false }));
    } catch (cause) {
      if (cause instanceof KaiError && cause.code === "E112") return cause;
      throw cause;
    }
  }
  return null;
}

const notOfAVersion = (commands: readonly string[]): KaiError =>
  new KaiError("E112", "Commands of kai.yaml are not run: no version names them, so nobody has signed for them.", {
    hint: `\`--trust-commands\` runs them all the same: ${commands.map((each) => JSON.stringify(each)).join(", ")}.`,
  });
