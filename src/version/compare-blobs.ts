import type { ObjectReader } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";

/** Blobs as text; one that is larger than what was allowed for it is not read. */
export interface BlobTexts {
  /** The text; undefined where the blob is too large. Bytes that are not UTF-8 become U+FFFD. */
  get(id: string): string | undefined;
}

/** Reads blobs, each only up to the size (bytes) that is given with it; one git process asks for the sizes of all. */
export async function readTexts(
  repository: Repository,
  reader: ObjectReader,
  wanted: ReadonlyMap<string, number>,
): Promise<BlobTexts> {
  const texts = new Map<string, string>();
  if (wanted.size === 0) return texts;
  const out = await runGit(repository, ["cat-file", "--batch-check=%(objectname) %(objectsize)"], {
    input: `${[...wanted.keys()].join("\n")}\n`,
  });
  const sizes = new Map<string, number>();
  for (const line of out.toString().split("\n")) {
    const [id = "", size = ""] = line.split(" ");
    if (/^\d+$/.test(size)) sizes.set(id, Number(size));
  }
  for (const [id, largest] of wanted) {
    if ((sizes.get(id) ?? 0) > largest) continue;
    texts.set(id, (await reader.read(id, "blob")).toString());
  }
  return texts;
}
