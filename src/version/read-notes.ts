import type { ObjectReader } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import { tryGit } from "../git/run-git.js";

/** The text of the notes on `commits`, by commit; two git processes, however many. */
export async function readNotes(
  repository: Repository,
  reader: ObjectReader,
  ref: string,
  commits: ReadonlySet<string>,
): Promise<Map<string, string>> {
  const listed = await tryGit(repository, ["notes", `--ref=${ref}`, "list"]);
  if (listed.exitCode !== 0) return new Map();
  const wanted = listed.stdout
    .toString()
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, commit]) => commit !== undefined && commits.has(commit));
  const texts = await Promise.all(
    wanted.map(async ([blob = "", commit = ""]): Promise<[string, string]> => {
      const object = await reader.find(blob);
      return [commit, object?.content.toString() ?? ""];
    }),
  );
  return new Map(texts);
}
