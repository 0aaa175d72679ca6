import type { ObjectReader } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import { tryGit } from "../git/run-git.js";

/** The notes of a ref by the commit that they are on: object ids of their blobs. Empty where there are none. */
export async function listNotes(repository: Repository, ref: string): Promise<Map<string, string>> {
  const listed = await tryGit(repository, ["notes", `--ref=${ref}`, "list"]);
  const notes = new Map<string, string>();
  if (listed.exitCode !== 0) return notes;
  for (const line of listed.stdout.toString().split("\n")) {
    const [blob = "", commit] = line.split(" ");
    if (commit !== undefined) notes.set(commit, blob);
  }
  return notes;
}

/** The text of the notes on `commits`, by commit. */
export async function readNotes(
  reader: ObjectReader,
  notes: ReadonlyMap<string, string>,
  commits: ReadonlySet<string>,
): Promise<Map<string, string>> {
  const texts = await Promise.all(
    [...commits].map(async (commit): Promise<[string, string][]> => {
      const blob = notes.get(commit);
      return blob === undefined ? [] : [[commit, (await reader.find(blob))?.content.toString() ?? ""]];
    }),
  );
  return new Map(texts.flat());
}
