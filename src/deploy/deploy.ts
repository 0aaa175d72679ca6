import path from "node:path";
import { KaiError } from "../error.js";
import { requireTested } from "../snapshot/gate/require-tested.js";
import { canonicalFolder, configuredRoot } from "../version/deployment-place.js";
import { deploymentRoot, readCurrentLink, versionOfLink } from "../version/deployment-root.js";
import { findAsked } from "../version/find-asked.js";
import type { Standing } from "../version/standing.js";
import { validateVersion } from "../version/validate-version.js";
import { type Caller, provingOf, type WritingSession, withWritingSession } from "../version/writing-session.js";
import { requireDeployable } from "./deployable.js";
import { folderOf } from "./ensure-deployment.js";
import {
  type CommandOptions,
  foreseeDeployment,
  type PerformedDeployment,
  performDeployment,
} from "./perform-deployment.js";
import { requireRoot } from "./require-root.js";
import { takeBackIll } from "./take-back-ill.js";

export interface DeployOptions extends CommandOptions {
  /** A number, a tag, or `current`. */
  readonly version: string;
  /** Relative to the caller's folder; default: `deploy.root`. */
  readonly to: string | undefined;
  readonly dryRun: boolean;
}

export interface DeployedVersion extends PerformedDeployment {
  readonly version: string;
  readonly tag: string;
  /** What a releaser said last of it; null where none did. */
  readonly standing: Standing | null;
  /** The version's folder. */
  readonly path: string;
}

/**
 * Puts a version's files into a folder of its own and switches `current` to it: an operation of the log. E129 where it has to have
 * passed its tests, E126 where its agent is not well: where that was seen only behind the switch, it has been taken back.
 */
export function deploy(caller: Caller, options: DeployOptions): Promise<DeployedVersion> {
  const deploying = withWritingSession(caller, { purpose: "deploy", untracked: "no" }, async (session) => {
    const { history } = session;
    const root = deploymentRoot(await rootOf(session, options.to));
    const version = requireDeployable(findAsked(history, options.version));
    caller.progress(`Verifying ${version.tag}`);
    await validateVersion(provingOf(session), version);
    await requireTested(session, {
      name: version.tag,
      commit: version.commit,
      testAs: version.number.text,
      isNew: false,
    });
    if (!options.dryRun) {
      await requireRoot(session, root);
      await session.roots.hold(root.root, { makes: true });
    }
    const previous = versionOfLink(await readCurrentLink(root.current));
    const subject = `deploy ${version.tag}`;
    const plan = { root, version, previous, kind: "deploy", subject, about: version, more: {} } as const;
    const done = options.dryRun
      ? await foreseeDeployment(session, plan, options)
      : await performDeployment(session, plan, options);
    const { tag, standing } = version;
    return { version: version.number.text, tag, standing, path: folderOf(root, version), ...done };
  });
  return deploying.catch((cause: unknown) => takeBackIll(caller, cause, options));
}

async function rootOf({ agent, caller }: WritingSession, to: string | undefined): Promise<string> {
  if (to !== undefined) return canonicalFolder(path.resolve(caller.cwd, to));
  const configured = await configuredRoot(agent.repository, agent.config);
  if (configured !== null) return configured;
  throw new KaiError("E122", "Nothing says where to deploy to.", {
    hint: "Name the folder with `--to DIR`, or set `deploy: {root: DIR}` in kai.yaml.",
  });
}
