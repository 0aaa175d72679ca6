import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { KaiError } from "../error.js";
import { writeDurably } from "../system/durable-file.js";

/** What this clone knows of the log: the first entry, which it must always have, and the newest one seen. */
export interface TrustRoot {
  readonly format: "kai-trust/1";
  /** Object id of the log's first entry. */
  readonly root: string;
  /** SHA-256 of that entry's bytes: also tells when the object format's own hash is broken. */
  readonly digest: string;
  readonly repo: string;
  /** `founded`: made here. `confirmed`: compared out of band. `first-use`: taken as it came; verifies, never executes. */
  readonly origin: "founded" | "confirmed" | "first-use";
  /** The newest entry that was verified; the log must go on from it. */
  readonly seen: string;
}

export const digestOfEntry = (raw: Buffer): string => `sha256:${createHash("sha256").update(raw).digest("hex")}`;

/** The pin of this clone; undefined where it has none. E121 where the file is no pin. */
export async function findTrustRoot(file: string): Promise<TrustRoot | undefined> {
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return undefined;
    throw cause;
  });
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as TrustRoot;
    if (
      value.format === "kai-trust/1" &&
      /^[0-9a-f]{40,64}$/.test(value.root) &&
      /^[0-9a-f]{40,64}$/.test(value.seen)
    ) {
      return value;
    }
  } catch {
    // Said below.
  }
  throw new KaiError("E121", `${file} is damaged: this clone does not know its trust root any more.`, {
    hint: "Move it away and run `git kai-version init`, which pins the log again and says its root for you to confirm.",
  });
}

export const writeTrustRoot = (file: string, root: TrustRoot): Promise<void> =>
  writeDurably(file, `${JSON.stringify(root)}\n`);
