import type { LinkChange } from "../operation/apply-links.js";
import { isoSeconds } from "../operation/build-entry.js";
import { canonicalJson } from "../operation/canonical-json.js";
import { deploymentRoot, linkTo, readCurrentLink, versionOfLink } from "../version/deployment-root.js";
import type { KnownVersion } from "../version/history.js";
import type { WritingSession } from "../version/writing-session.js";
import type { Deployment } from "./deployment.js";
import { ensureDeployment } from "./ensure-deployment.js";
import { requireRoot } from "./require-root.js";

export interface SwitchRequest {
  /** Absolute. */
  readonly root: string;
  /** What `current` is to lead to; null for nothing, which undoes a first deployment. It has been validated. */
  readonly version: KnownVersion | null;
  /** What `rollback.log` says that it is. */
  readonly event: "deploy" | "rollback" | "undo";
  /** Run in a folder that has to be written, before it comes into place. */
  readonly install?: ((folder: string) => Promise<void>) | undefined;
}

/** A switch that is ready: the folder is there, the link is the operation's to switch. */
export interface PlannedSwitch {
  /** The version that `current` leads to now; null for none of ours. */
  readonly previous: string | null;
  /** The version's folder; null where `current` is to lead to nothing. */
  readonly deployment: Deployment | null;
  /** False where the folder was there already. */
  readonly written: boolean;
  /** For `stageLinks`; null where `current` leads there already. */
  readonly link: LinkChange | null;
  /** For the entry of the log: what it says of the deployment. */
  readonly details: Readonly<Record<string, unknown>>;
}

/**
 * Makes sure that a version's folder is there, and plans the switch of `current` to it, which the operation stages
 * (`stageLinks`) and its projection carries out. E102 where the folder was changed, E125 where no
 * deployment can be there.
 */
export async function switchDeployment(session: WritingSession, request: SwitchRequest): Promise<PlannedSwitch> {
  const root = deploymentRoot(request.root);
  await requireRoot(session, root);
  const before = await readCurrentLink(root.current);
  const previous = versionOfLink(before);
  const { version } = request;
  const ensured =
    version === null ? undefined : await ensureDeployment(session, root, version, request.install ?? null);
  const target = version === null ? null : linkTo(version.number.text);
  const deployment = ensured?.deployment ?? null;
  const line = {
    at: isoSeconds(session.at),
    event: request.event,
    from: previous,
    operation: session.id,
    path: target,
    to: version?.number.text ?? null,
  };
  return {
    previous,
    deployment,
    written: ensured?.written ?? false,
    link:
      target === before
        ? null
        : { link: root.current, target, before, log: { file: root.log, line: canonicalJson(line) } },
    details: {
      deployed: version?.number.text ?? null,
      root: request.root,
      path: deployment?.folder ?? null,
      previous,
      digest: deployment?.digest ?? null,
      // A link that is switched although it was none of ours.
      ...(previous === null && before !== null && { replaced: before }),
    },
  };
}
