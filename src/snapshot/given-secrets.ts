import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import path from "node:path";
import { ulid } from "ulid";
import { KaiError } from "../error.js";
import { writeDurably } from "../system/durable-file.js";
import { findText } from "./read-text.js";
import { holdsMarked, isSecretMark, markSecret, type SecretMark } from "./runs/secret-marks.js";
import { partsOf } from "./runs/secret-parts.js";

const PREFIX = "given-";
const GIVEN = /^given-[0-9A-Z]{26}$/;

/**
 * Marks what an execution in a snapshot is given, beside the snapshot's record, so that a file that holds it is recognised later,
 * whatever the source of the secret says then.
 */
export async function markGiven(folder: string, values: readonly string[]): Promise<void> {
  const known = readGiven(folder);
  const salt = randomBytes(32);
  for (const value of new Set(values.flatMap(partsOf))) {
    if (known.some((mark) => mark.length === Buffer.byteLength(value) && holdsMarked(Buffer.from(value), [mark])))
      continue;
    const mark = markSecret(value, salt);
    // A file each: executions that begin at once do not take each other's away.
    if (mark) await writeDurably(path.join(folder, `${PREFIX}${ulid()}`), `${JSON.stringify(mark)}\n`);
  }
}

/** The marks of all that was ever given to a snapshot's executions. E125 where one cannot be read: its secret would pass unseen. */
export function readGiven(folder: string): SecretMark[] {
  const names = readdirSync(folder).filter((name) => GIVEN.test(name));
  return names.map((name) => readMark(path.join(folder, name)));
}

function readMark(file: string): SecretMark {
  try {
    const mark: unknown = JSON.parse(findText(file) ?? "");
    if (isSecretMark(mark)) return mark;
  } catch {
    // Told below.
  }
  throw new KaiError("E125", "What this snapshot's commands were given as a secret cannot be told any more.", {
    hint: `${file} is damaged. Where no secret can be in what the snapshot changed, remove that file; else \`snapshot destroy\` takes the snapshot away.`,
  });
}
