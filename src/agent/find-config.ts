import { open, stat } from "node:fs/promises";
import { KaiError } from "../error.js";
import { configError, problemAt } from "./config-problem.js";

export const CONFIG_FILE = "kai.yaml";

/** The parser needs seconds for hostile texts that are much larger. */
export const LARGEST_CONFIG = 256 * 1024;

/** The text of a kai.yaml; `shownAs` stands for it in messages. Throws E106 (too large, not UTF-8) or E123. */
export async function readConfigText(file: string, shownAs: string): Promise<string> {
  let bytes: Buffer;
  try {
    // Never open what is not a file: a FIFO would wait for ever.
    const found = await stat(file);
    if (!found.isFile()) throw new KaiError("E123", `${shownAs} is not a file.`);
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(LARGEST_CONFIG + 1), 0, LARGEST_CONFIG + 1, 0);
      bytes = buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (cause instanceof KaiError) throw cause;
    throw new KaiError("E123", `${shownAs} could not be read: ${(cause as Error).message}`, { cause });
  }
  return decodeConfig(bytes, shownAs);
}

/** Bytes of a kai.yaml as text. Throws E106 where they are too many, or with the place of the first that is not UTF-8. */
export function decodeConfig(bytes: Uint8Array, file: string): string {
  refuseLargeConfig(bytes.length, file);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const good = new TextDecoder("utf-8").decode(bytes).split("\uFFFD")[0] ?? "";
    const lines = good.split("\n");
    const column = (lines.at(-1) ?? "").length + 1;
    throw configError([
      { file, line: lines.length, column, path: "", message: "The file is not UTF-8 here.", allowed: [] },
    ]);
  }
}

/** Throws E106 where a file of `size` bytes is more than a configuration can be. */
export function refuseLargeConfig(size: number, file: string): void {
  if (size <= LARGEST_CONFIG) return;
  const message = `The file is larger than ${LARGEST_CONFIG / 1024} KiB.`;
  throw configError([problemAt(file, { line: 1, column: 1 }, "", message)]);
}
