import { formatCommitPayload, formatSignedCommit } from "../../git/commit-object.js";
import { type GitObject, makeObject } from "../../git/object.js";
import type { Signer } from "../../trust/signer.js";
import type { WritingSession } from "../../version/writing-session.js";
import type { KnownSnapshot } from "../snapshot-store.js";

/** Of a commit that is only looked at. */
const NOBODY = { name: "git kai-version", email: "snapshot@localhost" };

/** The commit of what a snapshot changed, named by nothing yet; without a signer one that says the same and is nobody's. */
export async function makeCommit(
  { agent, at, id }: WritingSession,
  { record }: KnownSnapshot,
  { tree, parent }: { readonly tree: string; readonly parent: string },
  message: string | undefined,
  signer: Signer | undefined,
): Promise<GitObject> {
  const { objectFormat } = agent.repository;
  const subject = message ?? `Changes of a snapshot of ${record.tag}`;
  const trailers = `Kai-Operation: ${id}\nKai-Snapshot: ${record.id}\nKai-Version: ${record.version}`;
  const payload = formatCommitPayload({
    tree,
    parents: [parent],
    who: signer ?? NOBODY,
    at,
    message: `${subject.trimEnd()}\n\n${trailers}`,
  });
  const content = signer ? formatSignedCommit(payload, await signer.sign(payload, at), objectFormat) : payload;
  return makeObject("commit", content, objectFormat);
}
