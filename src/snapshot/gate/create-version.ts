import { KaiError } from "../../error.js";
import { type CreatedVersion, createVersionBehind, type ReleaseGate } from "../../version/create.js";
import type { CreateRequest } from "../../version/decide-creation.js";
import type { Caller } from "../../version/writing-session.js";
import { requireTested, whoAsks } from "./require-tested.js";

/** Makes a version of what the branch's commit holds: all of it, or nothing. E129 where it has to have passed its tests before. */
export const createVersion = (caller: Caller, request: CreateRequest): Promise<CreatedVersion> =>
  createVersionBehind(caller, request, requireTestedRelease);

/** Pre-releases are there to be tried, unless they are called a release; all else may come into force. */
export const requireTestedRelease: ReleaseGate = async (session, { tag, number, type, head, status, withChanges }) => {
  if (number.prerelease.length > 0 && type !== "release") return;
  if (!withChanges)
    return requireTested(session, {
      name: tag,
      commit: head,
      testAs: status.head === head ? "HEAD" : head,
      isNew: true,
    });
  const asking = session.agent.config.snapshot_isolation.require_snapshot_test
    ? "kai.yaml"
    : await whoAsks(session, head);
  if (asking === null) return;
  throw new KaiError(
    "E129",
    `${tag} would hold changes that are not committed and that nobody has tested, and ${asking} asks for it (require_snapshot_test).`,
    {
      hint: "Commit them with `git commit`, run the tests: `git kai-version snapshot test HEAD`, then leave out `--include-changes`.",
    },
  );
};
