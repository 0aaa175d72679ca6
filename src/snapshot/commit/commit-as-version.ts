import { KaiError } from "../../error.js";
import { writeObjects } from "../../git/write-objects.js";
import { CONFIG_FILE } from "../../version/agent-repository.js";
import { type CreatedVersion, createOfBrought } from "../../version/create.js";
import { liveStateOf } from "../../version/live-state.js";
import type { WritingSession } from "../../version/writing-session.js";
import { requireTestedRelease } from "../gate/create-version.js";
import type { KnownSnapshot } from "../snapshot-store.js";
import { makeCommit } from "./make-commit.js";
import type { PlaceOnTop } from "./place.js";

/**
 * Commits a snapshot's changes on top of the branch and makes a version of that, the way that `create` makes one: number, state,
 * gate, record, all in one operation. E128 where kai.yaml is among the changes.
 */
export async function commitAsVersion(
  session: WritingSession,
  known: KnownSnapshot,
  place: PlaceOnTop,
  { message, dryRun }: { readonly message: string | undefined; readonly dryRun: boolean },
): Promise<CreatedVersion> {
  const { agent, reader } = session;
  const { record } = known;
  const { tree, workTree, parent, branch } = place;
  const configs = await Promise.all([workTree, tree].map((each) => reader.find(`${each}:${CONFIG_FILE}`)));
  if (configs[0]?.id !== configs[1]?.id) throw changesConfig(record.id);
  const signer = dryRun ? undefined : await session.openSigner("releaser");
  const commit = await makeCommit(session, known, place, message, signer);
  // Before any ref names it: what `create` asks of a commit, it asks git.
  await writeObjects(agent.repository, [commit]);
  return createOfBrought(
    session,
    {
      type: undefined,
      bump: undefined,
      exact: undefined,
      description: message,
      tags: [],
      includeChanges: false,
      allowUnchanged: false,
      moveCurrent: true,
      trustCommands: false,
      dryRun,
    },
    requireTestedRelease,
    {
      commit,
      branch,
      previous: parent,
      worktree: { from: workTree, to: tree, saved: new Set(), isKept: liveStateOf(agent.config) },
      signer,
      details: { snapshot: record.id, of: record.version },
    },
  );
}

/** By what a version is made of its files is said there, and that is the agent's own, not what a sandbox wrote. */
const changesConfig = (id: string): KaiError =>
  new KaiError("E128", `The snapshot ${id} changed ${CONFIG_FILE}, which says how versions are made.`, {
    hint: `Take it over and look at it first: \`git kai-version snapshot commit ${id} --apply\`, then \`git kai-version create\`.`,
  });
