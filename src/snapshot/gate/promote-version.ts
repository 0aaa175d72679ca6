import { type PromotedVersion, type PromoteRequest, promoteVersionBehind } from "../../version/promote.js";
import type { Status } from "../../version/standing.js";
import type { Caller } from "../../version/writing-session.js";
import { requireTested } from "./require-tested.js";

/** What others are to rely on. */
const RELIED_ON: readonly Status[] = ["staging", "production"];

/** Says where a version stands in its life. E129 where it has to have passed its tests for that. */
export const promoteVersion = (caller: Caller, request: PromoteRequest): Promise<PromotedVersion> =>
  promoteVersionBehind(caller, request, async (session, { tag, commit, number }, status) => {
    if (!RELIED_ON.includes(status)) return;
    await requireTested(session, { name: tag, commit, testAs: number.text, isNew: false });
  });
