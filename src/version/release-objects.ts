import { type GitObject, makeObject } from "../git/object.js";
import type { ObjectFormat } from "../git/repository.js";
import { formatTagPayload } from "../git/tag-object.js";
import { CURRENT_REF, type InForce } from "../operation/entry.js";
import type { Signer } from "../trust/signer.js";
import { formatCurrentTag } from "./tag-text.js";

/** A signed annotated tag on a commit. */
export async function makeSignedTag(
  tag: { name: string; commit: string; message: string; at: Date },
  signer: Signer,
  format: ObjectFormat,
): Promise<GitObject> {
  const payload = formatTagPayload({
    object: tag.commit,
    name: tag.name,
    tagger: signer,
    at: tag.at,
    message: tag.message,
  });
  return makeObject("tag", Buffer.concat([payload, Buffer.from(await signer.sign(payload, tag.at))]), format);
}

export interface PointerRequest {
  readonly version: string;
  readonly tagName: string;
  readonly tag: string;
  readonly commit: string;
  readonly agent: string;
  readonly repo: string;
  readonly operation: string;
  readonly at: Date;
}

/** The signed tag `current`, and what the log says of it. */
export async function makeCurrentTag(
  request: PointerRequest,
  signer: Signer,
  format: ObjectFormat,
): Promise<{ object: GitObject; inForce: InForce }> {
  const object = await makeSignedTag(
    {
      name: CURRENT_REF.slice("refs/tags/".length),
      commit: request.commit,
      message: formatCurrentTag(request),
      at: request.at,
    },
    signer,
    format,
  );
  return { object, inForce: { version: request.version, tag: request.tag, pointer: object.id } };
}
