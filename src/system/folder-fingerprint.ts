import { createHash } from "node:crypto";
import { KaiError } from "../error.js";
import { runProcess } from "./process.js";

/** Path, kind and rights, owner, size, inode, and to the nanosecond when content and when anything at all changed. */
const LINE = "%P\\t%y%m %U %G %s %i %T@ %C@\\0";

/**
 * What changes whenever anything in a folder does, contents too, though no content is read: no program sets the time of an inode's
 * last change. A copy has another one. Undefined where it cannot be walked.
 */
export async function folderFingerprint(folder: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const result = await runProcess({
    file: "find",
    args: [folder, "-printf", LINE],
    env: { PATH: env["PATH"], LC_ALL: "C", TZ: "UTC" },
  });
  if (result.exitCode === 0) {
    const lines = result.stdout.toString("latin1").split("\0").sort();
    return createHash("sha256").update(lines.join("\0"), "latin1").digest("hex");
  }
  if (!result.stderr.includes("-printf")) return undefined;
  throw new KaiError("E117", "The find(1) of this machine has no -printf.", {
    hint: "Install findutils: what lies in a folder is told by it.",
  });
}
