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

/** How many a NUL ends before the raw bytes. */
const FIELDS = 6;

/** All refs under the given prefixes, annotated tags with their bytes, from one git process. */
export async function listRefs(repository: Repository, prefixes: readonly string[]): Promise<Ref[]> {
  const out = await runGit(repository, ["for-each-ref", `--format=${FORMAT}`, ...prefixes]);
  const refs: Ref[] = [];
  let offset = 0;
  while (offset < out.length) {
    let end = offset;
    for (let field = 0; field < FIELDS; field++) end = out.indexOf(0, end) + 1;
    const fields = out.toString("utf8", offset, end - 1).split("\0");
    const [name = "", id = "", type, peeledId = "", peeledType, size] = fields;
    offset = end;
    const raw = type === "tag" ? out.subarray(offset, offset + Number(size)) : undefined;
    offset += Number(size) + 1;
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
