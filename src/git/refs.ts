import { KaiError } from "../error.js";
import { isAsciiText } from "../system/path-bytes.js";
import type { ObjectType } from "./object.js";
import { ObjectReader } from "./object-reader.js";
import type { Repository } from "./repository.js";
import { gitFailure, runGit, tryGit } from "./run-git.js";

export interface Ref {
  readonly name: string;
  readonly id: string;
  /** `missing`: a tag whose object, or what it points at, is not in the repository. */
  readonly type: ObjectType | "missing";
  /** What an annotated tag points at, all tags in between taken off. */
  readonly peeled: { readonly id: string; readonly type: ObjectType } | undefined;
  /** The bytes of an annotated tag's object, a character each: ten thousand buffers would cost more than they hold. */
  readonly latin1: string | undefined;
}

/** A ref without its object's bytes. */
export type RefHead = Pick<Ref, "name" | "id" | "type">;

const FORMAT =
  "%(refname)%00%(objectname)%00%(objecttype)%00%(*objectname)%00%(*objecttype)%00%(if:equals=tag)%(objecttype)%(then)%(raw:size)%00%(raw)%(else)0%00%(end)";

/**
 * All refs under the given prefixes, annotated tags with their bytes, from one git process, or two where a tag points at a
 * tag. E116 where the object of a ref that is no tag is missing.
 */
export async function listRefs(repository: Repository, prefixes: readonly string[]): Promise<Ref[]> {
  const args = ["for-each-ref", `--format=${FORMAT}`, ...prefixes];
  const run = await tryGit(repository, args);
  if (run.exitCode === 0) return peelWhole(repository, parseRefs(run.stdout));
  const refs = await listRefsOneByOne(repository, prefixes);
  // What it complained about was nothing that is missing.
  if (refs.every(({ type }) => type !== "missing")) throw gitFailure(args, run);
  return refs;
}

/** Refs without their objects' bytes, as git printed them; of ten thousand only those are told apart that are asked for. */
export class RefHeads implements Iterable<RefHead> {
  /** Lines of type, object id and name, and one at the end that is empty; a character a byte. */
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  *[Symbol.iterator](): Generator<RefHead> {
    for (let start = 0; start < this.#text.length; ) {
      const end = this.#text.indexOf("\n", start);
      yield headOf(this.#text.slice(start, end));
      start = end + 1;
    }
  }

  named(name: string): RefHead | undefined {
    return this.#with(` ${Buffer.from(name).toString("latin1")}\n`)[0];
  }

  withId(id: string): RefHead[] {
    return this.#with(` ${id} `);
  }

  #with(words: string): RefHead[] {
    const found: RefHead[] = [];
    for (let at = this.#text.indexOf(words); at >= 0; at = this.#text.indexOf(words, at + 1)) {
      found.push(headOf(this.#text.slice(this.#text.lastIndexOf("\n", at) + 1, this.#text.indexOf("\n", at))));
    }
    return found;
  }
}

function headOf(line: string): RefHead {
  const [first, second] = [line.indexOf(" "), line.lastIndexOf(" ")];
  const [type, id, name] = [line.slice(0, first), line.slice(first + 1, second), line.slice(second + 1)];
  return { name: nameOf(name), id, type: type as ObjectType };
}

/**
 * The same refs as `listRefs` gives without their objects' bytes, which takes git a tenth of the time; undefined where an object
 * is missing, and `listRefs` tells which.
 */
export async function findRefHeads(repository: Repository, prefixes: readonly string[]): Promise<RefHeads | undefined> {
  const args = ["for-each-ref", "--format=%(objecttype) %(objectname) %(refname)", ...prefixes];
  const { exitCode, stdout } = await tryGit(repository, args);
  return exitCode === 0 ? new RefHeads(stdout.toString("latin1")) : undefined;
}

/** Some of the refs with their objects' bytes, from a reader's process. */
export const readRefs = (reader: ObjectReader, refs: readonly RefHead[]): Promise<Ref[]> =>
  Promise.all(refs.map(({ name, id }) => readRef(reader, name, id)));

/** An older git takes off one tag only: where another one is below it, a second process takes off the others. */
async function peelWhole(repository: Repository, refs: Ref[]): Promise<Ref[]> {
  const isNested = ({ peeled }: Ref): boolean => peeled?.type === "tag";
  if (!refs.some(isNested)) return refs;
  const reader = new ObjectReader(repository);
  try {
    return await Promise.all(refs.map((ref) => (isNested(ref) ? readRef(reader, ref.name, ref.id) : ref)));
  } finally {
    reader.close();
  }
}

function parseRefs(out: Buffer): Ref[] {
  const text = out.toString("latin1");
  const refs: Ref[] = [];
  let offset = 0;
  const field = (): string => {
    const end = text.indexOf("\0", offset);
    const value = text.slice(offset, end);
    offset = end + 1;
    return value;
  };
  while (offset < text.length) {
    const [name, id, type, peeledId, peeledType, size] = [field(), field(), field(), field(), field(), Number(field())];
    refs.push({
      name: nameOf(name),
      id,
      type: type as ObjectType,
      peeled: peeledId === "" ? undefined : { id: peeledId, type: peeledType as ObjectType },
      latin1: type === "tag" ? text.slice(offset, offset + size) : undefined,
    });
    // Behind the bytes git ends the line.
    offset += size + 1;
  }
  return refs;
}

const nameOf = (latin1: string): string => (isAsciiText(latin1) ? latin1 : Buffer.from(latin1, "latin1").toString());

/** The same where git refuses to list them together because one of the objects is missing. */
async function listRefsOneByOne(repository: Repository, prefixes: readonly string[]): Promise<Ref[]> {
  const out = await runGit(repository, ["for-each-ref", "--format=%(refname) %(objectname)", ...prefixes]);
  const reader = new ObjectReader(repository);
  try {
    const refs: Ref[] = [];
    for (const line of out.toString().split("\n")) {
      const [name = "", id = ""] = line.split(" ");
      if (name !== "") refs.push(await readRef(reader, name, id));
    }
    return refs;
  } finally {
    reader.close();
  }
}

/** A ref with its object's bytes. E116 where that of a ref that is no tag is missing. */
async function readRef(reader: ObjectReader, name: string, id: string): Promise<Ref> {
  const object = await reader.find(id);
  const peeled = object?.type === "tag" ? await reader.find(`${id}^{}`) : undefined;
  if (object === undefined || (object.type === "tag" && peeled === undefined)) {
    if (name.startsWith("refs/tags/")) return { name, id, type: "missing", peeled: undefined, latin1: undefined };
    throw new KaiError("E116", `The object ${id} of ${name} is missing.`, {
      hint: `Fetch it from a complete clone; \`git update-ref -d ${name}\` gives it up.`,
    });
  }
  return {
    name,
    id,
    type: object.type,
    peeled: peeled && { id: peeled.id, type: peeled.type },
    latin1: object.type === "tag" ? object.content.toString("latin1") : undefined,
  };
}
