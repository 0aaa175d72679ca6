import type { RefChange } from "../git/ref-transaction.js";
import { listRefs } from "../git/refs.js";
import type { KnownVersion } from "./history.js";
import { planForgetting } from "./plan-forgetting.js";
import { readStateHistory, stateRefOf } from "./state-history.js";
import type { WritingSession } from "./writing-session.js";

export interface Forgetting {
  /** Numbers of the versions. */
  readonly versions: readonly string[];
  readonly changes: readonly RefChange[];
}

/**
 * The state that `artifacts.state.keep` gives up once a new version with state is made; `current` says whether that comes into force.
 * Two git processes more, and only where there are more versions with state than are kept.
 */
export async function findForgetting(session: WritingSession, current: boolean): Promise<Forgetting> {
  const { agent, history } = session;
  const keep = agent.config.version_management.artifacts.state.keep - 1;
  const versions = history.versions.filter((version) => version.state !== null);
  if (versions.length <= keep) return { versions: [], changes: [] };
  const [refs, { kept }] = await Promise.all([
    listRefs(agent.repository, [stateRefOf("")]),
    readStateHistory(agent.repository),
  ]);
  const commits = new Map(refs.map(({ name, id }) => [name, id]));
  const isHere = ({ tag }: KnownVersion) => commits.has(stateRefOf(tag));
  const forgotten = planForgetting(versions, {
    here: new Set(versions.filter(isHere).map(({ tag }) => tag)),
    kept,
    keep,
    inForce: new Set(
      current ? [] : versions.filter(({ tagId }) => tagId === history.current?.tag).map(({ tag }) => tag),
    ),
  });
  return {
    versions: forgotten.map(({ number }) => number.text),
    changes: forgotten.map(({ tag }) => {
      const ref = stateRefOf(tag);
      return { ref, old: commits.get(ref) ?? null, new: null };
    }),
  };
}
