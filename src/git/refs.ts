import type { ObjectType } from "./object.js";
import type { Repository } from "./repository.js";
import { runGit } from "./run-git.js";

export interface Ref {
  readonly name: string;
  readonly id: string;
  readonly type: ObjectType;
  /** What an annotated tag points at, all tags in between taken off. */
  readonly peeled: { readonly id: string; readonly type: ObjectType } | undefined;
  /** The bytes of an annotated tag's object. */
  readonly raw: Buffer | undefined;
}

const FORMAT =
  "%(refname)%00%(objectname)%00%(objecttype)%00%(*objectname)%00%(*objecttype)%00%(if:equals=tag)%(objecttype)%(then)%(raw:size)%00%(raw)%(else)0%00%(end)";

/** All refs under the given prefixes, annotated tags with their bytes, from one git process. */
export async function listRefs(repository: Repository, prefixes: readonly string[]): Promise<Ref[]> {
  const out = await runGit(repository, ["for-each-ref", `--format=${FORMAT}`, ...prefixes]);
  const refs: Ref[] = [];
  let offset = 0;
  const field = (): string => {
    const end = out.indexOf(0, offset);
    const text = out.toString("utf8", offset, end);
    offset = end + 1;
    return text;
  };
  while (offset < out.length) {
    const [name, id, type, peeledId, peeledType, size] = [field(), field(), field(), field(), field(), Number(field())];
    const raw = type === "tag" ? out.subarray(offset, offset + size) : undefined;
    offset += size + 1;
    refs.push({
      name,
      id,
      type: type as ObjectType,
      peeled: peeledId === "" ? undefined : { id: peeledId, type: peeledType as ObjectType },
      raw,
    });
  }
  return refs;
}
