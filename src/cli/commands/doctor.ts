import path from "node:path";
import { KaiError } from "../../error.js";
import type { Feature } from "../../podman/capabilities.js";
import { probeHost } from "../../podman/probe-host.js";
import { probeOptions } from "../../podman/probe-options.js";
import type { ProbePlaces } from "../../podman/probe-sandbox.js";
import { ownTempDir } from "../../snapshot/sandbox/sandbox-folder.js";
import { type TrustedTempDir, trustedTempDir } from "../../snapshot/trusted-temp-dir.js";
import { probePrograms } from "../../system/doctor-programs.js";
import { kaiHome } from "../../trust/key-store.js";
import { type AgentRepository, openAgent } from "../../version/agent-repository.js";
import { defineCommand, value } from "../define-command.js";
import { type Check, warn } from "../doctor/check.js";
import { checkDisk } from "../doctor/disk-check.js";
import { checkHostProgram } from "../doctor/host-program-check.js";
import { type BaseImages, checkBaseImages } from "../doctor/image-checks.js";
import { checkKeys } from "../doctor/key-check.js";
import { checkPodman } from "../doctor/podman-checks.js";
import { checkNode, checkPrograms, PROGRAMS } from "../doctor/program-checks.js";
import type { Output } from "../output.js";
import { printable } from "../style.js";
import { formatLabelled, formatTable } from "../table.js";

const SOMETHING_MISSING = 3;

/** `snapshot_isolation.temp_dir` by default: what is looked at outside of an agent. */
const DEFAULT_TEMP_DIR = "/tmp/kai_snapshots";

interface Diagnosis {
  ok: boolean;
  checks: Check[];
}

export const doctorCommand = defineCommand({
  name: "doctor",
  summary: "Show what this machine has and lacks, with the command that mends it",
  description:
    "Looks for the programs that are needed, for a key, for disk space, and starts some containers to see which of " +
    "their limits bite and which kinds can be had. Exits 3 when something required is missing; what is optional is a warning.",
  options: {
    tempDir: value(
      "DIR",
      `where sandboxes will be; default: the agent's snapshot_isolation.temp_dir where it is trusted, elsewhere ${DEFAULT_TEMP_DIR}`,
    ),
  },
  async run({ tempDir }, { cwd, env, now, output }) {
    output.progress("Looking at this machine…");
    const agent = await findAgent(cwd, env);
    const place =
      tempDir === undefined
        ? await placeIn(agent, env)
        : { tempDir: await ownTempDir(path.resolve(cwd, tempDir)), instead: null };
    const diagnosis = await diagnose(place, agent?.config.snapshot_isolation.base_images, env, now);
    if (!diagnosis.ok) process.exitCode = SOMETHING_MISSING;
    output.result(diagnosis, describeDiagnosis);
  },
});

/** The agent around `cwd`. This machine is looked at all the same where there is none, or its kai.yaml is invalid. */
async function findAgent(cwd: string, env: NodeJS.ProcessEnv): Promise<AgentRepository | undefined> {
  try {
    return await openAgent(cwd, env);
  } catch (cause) {
    if (cause instanceof KaiError) return undefined;
    throw cause;
  }
}

/** Where nothing says that its kai.yaml may name the folder, the usual one is looked at: what is found is much the same. */
const placeIn = async (agent: AgentRepository | undefined, env: NodeJS.ProcessEnv): Promise<TrustedTempDir> =>
  agent === undefined ? { tempDir: await ownTempDir(DEFAULT_TEMP_DIR), instead: null } : trustedTempDir({ env }, agent);

function checkTempDir({ tempDir, instead }: TrustedTempDir): Check[] {
  if (instead === null) return [];
  const remedy = "Look there by `git kai-version doctor --temp-dir DIR`, once you have read it.";
  return [warn("temp_dir", `${tempDir} was looked at: ${instead}`, remedy)];
}

async function probeAll(places: ProbePlaces, now: () => Date): Promise<Feature[]> {
  const host = await probeHost({ ...places, now, refresh: true });
  return [...host.features, ...(await probeOptions(places, host))];
}

async function diagnose(
  place: TrustedTempDir,
  baseImages: BaseImages | undefined,
  env: NodeJS.ProcessEnv,
  now: () => Date,
): Promise<Diagnosis> {
  const { tempDir } = place;
  const cacheDir = path.join(kaiHome(env), "cache");
  const names = PROGRAMS.map(({ name }) => name);
  const [keys, programs, features, python, node, disk, images] = await Promise.all([
    checkKeys(env),
    probePrograms(names, env),
    // What was found last time may just have been mended.
    probeAll({ env, cacheDir, tempDir }, now),
    checkHostProgram("python3", "python3", env),
    checkHostProgram("node", "nodejs", env),
    checkDisk(tempDir),
    checkBaseImages(baseImages, env),
  ]);
  const checks = [
    checkNode(process.versions.node),
    ...checkPrograms(programs),
    keys,
    disk,
    ...checkTempDir(place),
    ...checkPodman(features),
    python,
    node,
    ...images,
  ];
  return { ok: checks.every(({ state }) => state !== "missing"), checks };
}

function describeDiagnosis({ checks }: Diagnosis, { style, columns }: Output): string {
  const paint = { ok: style.green, warn: style.yellow, missing: style.red };
  const table = formatTable(
    [{ title: "STATE" }, { title: "CHECK" }, { title: "DETAIL", shrink: "wrap" }],
    checks.map(({ name, state, detail }) => [paint[state](state), name, printable(detail)]),
    columns,
  );
  const told = checks.filter(({ remedy }) => remedy !== null);
  const width = told.reduce((most, { name }) => Math.max(most, name.length), 0);
  const remedies = told.map(({ name, remedy }) =>
    formatLabelled(`  ${name.padEnd(width)}`, printable(remedy ?? ""), columns),
  );
  return remedies.length === 0 ? table : `${table}\n\n${style.bold("What mends it:")}\n${remedies.join("\n")}`;
}
