import { stat } from "node:fs/promises";
import { kaiHome, listKeys } from "../../trust/key-store.js";
import { type Check, ok, warn } from "./check.js";

const OTHERS = 0o077;

/** Whether there is a key to sign with, readable by its owner alone. */
export async function checkKeys(env: NodeJS.ProcessEnv): Promise<Check> {
  if (env["KAI_SIGNING_KEY"]) return ok("keys", "handed over in KAI_SIGNING_KEY");
  const home = kaiHome(env);
  const found = await stat(home).catch(() => undefined);
  const make = "Run `git kai-version init` in an agent, or `git kai-version key generate`.";
  if (found === undefined) return warn("keys", `none yet in ${home}`, make);
  if ((found.mode & OTHERS) !== 0) {
    return warn("keys", `others can look into ${home}`, `Run \`chmod 700 '${home}'\`.`);
  }
  const own = (await listKeys(home)).filter(({ status }) => status !== "known");
  return own.length === 0 ? warn("keys", `none yet in ${home}`, make) : ok("keys", `${own.length} in ${home}`);
}
