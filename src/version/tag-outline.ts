import { parseTag } from "../git/tag-object.js";
import { parseVersionTag } from "./tag-text.js";

/** What a list tells of an annotated tag, nothing of it verified. */
export interface TagOutline {
  /** The name that the object itself says. */
  readonly name: string;
  readonly at: Date;
  /** `Name <email>` */
  readonly by: string;
  readonly subject: string;
  /** What the trailers of a version say; undefined for another tool's tag. */
  readonly version: ReturnType<typeof parseVersionTag>;
}

type VersionType = NonNullable<TagOutline["version"]>["type"];

const LINE = "[\\t -~]+";
/** Not blank at either end, so that nothing of it is trimmed. */
const VALUE = "[!-~](?:[ -~]*[!-~])?";

/** A version's tag as we write it: printable ASCII, every trailer once and in its place, one block of signature. */
const PLAIN = new RegExp(
  [
    "^object (?:[0-9a-f]{40}|[0-9a-f]{64})\\ntype commit\\n",
    `tag (${LINE})\\n`,
    `tagger ([!-;=?-~](?:[ -;=?-~]*[!-;=?-~])?) <([!-;=?-~]*)> ([0-9]{1,11}) [+-][0-9]{4}\\n\\n`,
    `(?!-----BEGIN )(${LINE})\\n(?:(?!-----BEGIN )(?:${LINE})?\\n)*?\\n`,
    `Kai-Agent: (${VALUE})\\nKai-Repo: (${VALUE})\\nKai-Type: (auto|manual|release|rollback)\\n`,
    `(?:Kai-Parent: (${VALUE})\\n)?Kai-Hash: (${VALUE})\\nKai-Record: (${VALUE})\\n(?:Kai-State: (${VALUE})\\n)?`,
    "-----BEGIN PGP SIGNATURE-----\\n[A-Za-z0-9+/=\\n]*-----END PGP SIGNATURE-----\\n$",
  ].join(""),
);

/** Of more characters an expression could use up the stack; no version's tag has so many. */
const MOST_LOOKED_AT = 1 << 20;

/**
 * The outline of a tag object's bytes, of which `latin1` is the text with a character a byte; undefined where they are no
 * tag. Those of our own form are looked at and not read, which takes a fifth of the time; it says the same as reading them.
 */
export function outlineTag(latin1: string): TagOutline | undefined {
  const plain = latin1.length > MOST_LOOKED_AT ? null : PLAIN.exec(latin1);
  return plain === null ? readTag(Buffer.from(latin1, "latin1")) : fromMatch(plain);
}

function fromMatch(plain: RegExpExecArray): TagOutline {
  const [, name = "", who, email, seconds, subject = "", agent = "", repo = "", type, parent, ...rest] = plain;
  const [hash = "", record = "", state] = rest;
  return {
    name,
    at: new Date(Number(seconds) * 1000),
    by: `${who} <${email}>`,
    subject,
    version: {
      subject,
      agent,
      repo,
      type: type as VersionType,
      parent: parent ?? null,
      hash,
      record,
      state: state ?? null,
    },
  };
}

function readTag(raw: Buffer): TagOutline | undefined {
  const tag = parseTag(raw);
  if ("problem" in tag) return undefined;
  return {
    name: tag.name,
    at: tag.tagger.at,
    by: `${tag.tagger.name} <${tag.tagger.email}>`,
    subject: tag.message.split("\n", 1)[0] ?? "",
    version: parseVersionTag(tag.message),
  };
}
