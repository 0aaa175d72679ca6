import type { AgentConfig } from "../agent/config.js";
import { KaiError } from "../error.js";
import { type TrustGround, whyNotFollowed } from "../version/command-trust.js";
import { type History, type KnownVersion, versionInForce } from "../version/history.js";
import { findVersionConfig } from "../version/version-config.js";
import type { Caller } from "../version/writing-session.js";
import { type SandboxUse, scenarioTimes, usualLimits } from "./limit-openings.js";
import { openedBeyond, openedByConfig } from "./opened-by-config.js";
import { formatOpenings, type Opening } from "./opening.js";
import type { SnapshotGround } from "./snapshot-ground.js";
import type { SnapshotOptions } from "./snapshot-settings.js";
import { NO_LOG, withTrustGround } from "./with-trust-ground.js";

type Isolation = AgentConfig["snapshot_isolation"];

/**
 * Refuses (E112) what a kai.yaml opens of the sandbox where its signer is not trusted as for its commands. A commit that is no
 * version has none: it may open what the version in force opens, too.
 */
export async function requireTrustedConfig(
  caller: Caller,
  ground: SnapshotGround,
  opened: readonly Opening[],
  options: SnapshotOptions,
  use: SandboxUse = {},
): Promise<void> {
  const { version, history, hasConfig } = ground;
  const own = hasConfig ? history.versions.find(({ tag }) => version.tagId !== null && tag === version.tag) : undefined;
  const openedBy = (isolation: Isolation) => {
    const scenario = isolation.tests.find(({ name }) => name === use.scenario?.name);
    return openedByConfig(isolation, options, { ...use, scenario });
  };
  const refused = await withTrustGround(ground.repository, caller, ground, async (trust) =>
    trust === undefined ? { openings: opened, why: NO_LOG } : whyRefused(trust, { own, history }, opened, openedBy),
  );
  if (refused === null) return;
  throw new KaiError(
    "E112",
    `The kai.yaml of ${version.tag} opens the sandbox, and that is not done: ${refused.why} (${formatOpenings(refused.openings)}).`,
    {
      hint: `${waysAround(refused.openings)}\`--trust-config\` does it all the same: then what runs there may reach this machine, or take more of it.`,
      data: { opened: refused.openings },
    },
  );
}

/** How the caller can have it without. */
function waysAround(openings: readonly Opening[]): string {
  const opens = (...keys: readonly string[]) => openings.some(({ key }) => keys.includes(key));
  const limits = usualLimits(openings);
  const times = scenarioTimes(openings);
  return [
    ...(opens("default_isolation") ? ["`--process container` shuts its processes in. "] : []),
    ...(opens("network.mode", "network.allow_internet", "network.subnet") ? ["`--network none` gives it none. "] : []),
    ...(opens("network.allowed_hosts")
      ? ["`--allow-host` is your own word for a host that may have the secret. "]
      : []),
    ...(limits.length > 0 ? [`\`${limits.join(" ")}\` limits it as usual. `] : []),
    ...(times.length > 0 ? [`\`${times.join(" ")}\` gives it the time. `] : []),
  ].join("");
}

type Refused = { readonly openings: readonly Opening[]; readonly why: string };

interface WhoseConfig {
  /** The version that has this kai.yaml; undefined where none has. */
  readonly own: KnownVersion | undefined;
  readonly history: History;
}

/** What of `opened` is not done, and why; null where all of it is. `openedBy` gives what another kai.yaml opens for the same. */
export async function whyRefused(
  trust: TrustGround,
  { own, history }: WhoseConfig,
  opened: readonly Opening[],
  openedBy: (isolation: Isolation) => readonly Opening[],
): Promise<Refused | null> {
  const signed = own ?? versionInForce(history);
  if (signed === undefined) return { openings: opened, why: "it is of no version, so nobody has signed for it" };
  if (own === undefined) {
    const config = await findVersionConfig(trust.reader, signed.commit);
    const beyond = openedBeyond(opened, config ? openedBy(config.snapshot_isolation) : []);
    if (beyond.length > 0)
      return { openings: beyond, why: `it is of no version, and ${signed.tag}, which is in force, does not open that` };
  }
  const why = await whyNotFollowed(trust, signed);
  return why === null ? null : { openings: opened, why };
}
