import { KaiError } from "../error.js";
import { TreeLister } from "../git/tree-lister.js";
import { readablePath } from "../system/path-bytes.js";
import { mayDo } from "../trust/policy.js";
import type { Signer } from "../trust/signer.js";
import { namesOf, releaseJudge, sourcesOf } from "../version/composed-version.js";
import type { KnownVersion } from "../version/history.js";
import { strayPaths } from "../version/stray-paths.js";
import { provingOf, type WritingSession } from "../version/writing-session.js";
import type { StateSource, Takes } from "./plan.js";
import type { Ground } from "./survey.js";

/** Who may sign the version that a rollback makes. */
export interface MintSigner extends Takes {
  /** The versions, signed by releasers, that it is composed of; empty where it takes a releaser. */
  readonly sources: readonly KnownVersion[];
}

/**
 * Judges a tree that becomes a version, `mints` being its number; undefined where none is made. It takes no releaser where
 * every path is as in the version in force or in the target (or as in those that they are composed of), and a state that is
 * put back is one of theirs.
 */
export async function findMintSigner(
  { agent, reader, history }: WritingSession,
  { from, target, toTree }: Pick<Ground, "from" | "target" | "toTree">,
  mints: string | null,
  state: StateSource,
): Promise<MintSigner | undefined> {
  if (mints === null) return undefined;
  const takesReleaser = (why: string): MintSigner => ({ role: "releaser", why, sources: [] });
  const named = [from, target.version ?? target.onTop].filter((each) => each !== undefined);
  const sources = sourcesOf(history, named);
  if (sources.length === 0) return takesReleaser("no signed version is there that its files could be from");
  if (state.kind === "capture" && sources.every((each) => each.state !== state.digest)) {
    return takesReleaser("the state that goes back was captured with no version");
  }
  const lister = new TreeLister(agent.repository, reader);
  const filesOf = async (treeish: string) => {
    const tree = (await reader.find(treeish))?.id;
    return (tree === undefined ? undefined : await lister.list(tree)) ?? [];
  };
  const trees = await Promise.all(sources.map(({ commit }) => filesOf(`${commit}^{tree}`)));
  const [stray, ...others] = strayPaths(await filesOf(toTree), trees);
  if (stray === undefined) return { role: "operator", why: null, sources };
  const more = others.length === 0 ? "" : `, and ${others.length} more`;
  return takesReleaser(`${readablePath(stray)} would be as in none of ${namesOf(sources)}${more}`);
}

/** What a plan says of it; a rollback that makes no version takes an operator. */
export const takenBy = (signer: MintSigner | undefined): Takes => ({
  role: signer?.role ?? "operator",
  why: signer?.why ?? null,
});

/** Refuses (E112) a key that may not sign the version, and (E101) one of an operator where what it is composed of is not proven. */
export async function requireMintSigner(
  session: WritingSession,
  signer: Signer,
  { role, why, sources }: MintSigner,
): Promise<void> {
  const { policy } = session.log;
  if (mayDo(policy, signer.fingerprint, "releaser")) return;
  if (role === "releaser") {
    throw new KaiError(
      "E112",
      `The key ${signer.fingerprint} (${signer.name}) is no releaser here, and this version takes one: ${why}.`,
      {
        hint: "An operator goes back to a whole version, or to parts where nothing was committed since the version in force. A releaser may do this, or make a version of the commits first: `git kai-version create`.",
        data: { role },
      },
    );
  }
  const whyNotReleased = releaseJudge(provingOf(session));
  for (const source of sources) {
    const unproven = await whyNotReleased(source);
    if (unproven !== undefined) throw notProven(source, unproven);
  }
}

const notProven = ({ tag }: KnownVersion, why: string): KaiError =>
  new KaiError("E101", `${tag}, which files of the new version are from, is corrupted: ${why}.`, {
    hint: "`git kai-version verify --all --deep` shows all of it; an operator cannot sign for what is not proven.",
  });
