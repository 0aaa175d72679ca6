import { type AgentConfig, loadAgentConfig } from "../../agent/config.js";
import { decodeConfig, LARGEST_CONFIG } from "../../agent/find-config.js";
import { KaiError } from "../../error.js";
import type { ObjectReader } from "../../git/object-reader.js";
import { CONFIG_FILE } from "../../version/agent-repository.js";
import { type History, versionInForce } from "../../version/history.js";
import { findNumber } from "../../version/number.js";
import { findConfigFile } from "../../version/version-config.js";
import type { WritingSession } from "../../version/writing-session.js";
import { readRunsOf } from "../runs/recorded-runs.js";
import { scenarioDigest } from "../runs/scenario-digest.js";
import { judgeScenarios, NOT_COMPARED, type ScenarioVerdict } from "./judge-scenarios.js";

/** What says whose runs count, and which version is in force. */
export type GateGround = Pick<WritingSession, "agent" | "reader" | "log" | "history">;

/** What is to be released or deployed. */
export interface Candidate {
  /** As messages name it. */
  readonly name: string;
  /** Its commit, or its tree. */
  readonly commit: string;
  /** What `snapshot test` is to be given for it. */
  readonly testAs: string;
  /** Whether it is no version yet, so that it can be compared with the one in force. */
  readonly isNew: boolean;
}

const KEY = "require_snapshot_test";

/** Refuses (E129) what has not passed its tests in a snapshot, where its own kai.yaml asks for it, or that of the version in force or made last. */
export async function requireTested(ground: GateGround, candidate: Candidate): Promise<void> {
  const refusal = await whyNotTested(ground, candidate);
  if (refusal) throw refusal;
}

/** The refusal; null where there is none, or nothing asks for tests. E103 and E122 where its kai.yaml asks for what is no sandbox. */
export async function whyNotTested(ground: GateGround, candidate: Candidate): Promise<KaiError | null> {
  const { reader, agent, log } = ground;
  const { commit, isNew } = candidate;
  const asking = await whoAsks(ground, commit);
  if (asking === null) return null;
  const isolation = (await readRule(reader, commit)).config?.snapshot_isolation;
  if (isolation === undefined || isolation.tests.length === 0) return nothingToPass(candidate, asking);
  const tree = (await reader.find(`${commit}^{tree}`))?.id ?? "";
  const runs = readRunsOf({ repository: agent.repository, log }, tree);
  const verdicts = await judgeScenarios(isolation, runs, isNew ? await scenariosInForce(ground) : new Set());
  const short = verdicts.filter(({ state }) => state !== "passed");
  return short.length === 0 ? null : notPassed(candidate, asking, tree, short, isolation);
}

/** By their digests. */
async function scenariosInForce({ reader, history }: GateGround): Promise<ReadonlySet<string>> {
  const inForce = history.current?.tag;
  const config = inForce === undefined ? null : (await readRule(reader, inForce)).config;
  return new Set(config?.snapshot_isolation.tests.map(scenarioDigest));
}

/** Whose kai.yaml asks for tests, as messages name it; null where none does. */
export async function whoAsks(
  { reader, history }: Pick<GateGround, "reader" | "history">,
  commit: string,
): Promise<string | null> {
  if ((await readRule(reader, commit)).asks) return "its kai.yaml";
  // As the signed log has it: with a rule of its own alone a version could let itself off.
  const inForce = history.current?.tag;
  if (inForce !== undefined && (await readRule(reader, inForce)).asks) {
    return `the kai.yaml of ${versionInForce(history)?.tag ?? "another"}, the version in force,`;
  }
  // By what is in force alone whoever may go back to a version without the rule is rid of it.
  const last = lastReleased(history);
  if (last === undefined || last.id === inForce) return null;
  const { asks, found } = await readRule(reader, last.id);
  return asks || !found ? `the kai.yaml of ${last.tag}, the version made last,` : null;
}

/** The version that `create` made last, pre-releases left out: it was asked for its tests itself where any before it asked for them. */
function lastReleased(history: History): { readonly tag: string; readonly id: string } | undefined {
  let last: { readonly tag: string; readonly id: string } | undefined;
  history.findEntry(({ kind, details: { tag, version }, changes }) => {
    if (kind !== "create" || typeof version !== "string" || findNumber(version)?.prerelease.length !== 0) return false;
    const id = changes.find(({ ref }) => ref === `refs/tags/${tag}`)?.new;
    last = typeof tag === "string" && id ? { tag, id } : undefined;
    return last !== undefined;
  });
  return last;
}

/** A kai.yaml that is no file, has the key and cannot be read, or is too large to be read, asks for tests: whatever it says, it does not let anything off. */
async function readRule(
  reader: ObjectReader,
  commit: string,
): Promise<{ asks: boolean; found: boolean; config: AgentConfig | null }> {
  const content = await findConfigFile(reader, commit);
  if (content === undefined) return { asks: false, found: false, config: null };
  if (content === null) return { asks: true, found: true, config: null };
  try {
    const config = await loadAgentConfig(decodeConfig(content, CONFIG_FILE), CONFIG_FILE);
    return { asks: config.snapshot_isolation.require_snapshot_test, found: true, config };
  } catch (cause) {
    if (!(cause instanceof KaiError) || cause.code !== "E106") throw cause;
    return { asks: content.includes(KEY) || content.length > LARGEST_CONFIG, found: true, config: null };
  }
}

const nothingToPass = ({ name }: Candidate, asking: string): KaiError =>
  new KaiError("E129", `${name} has no tests that it could have passed, and ${asking} asks for them (${KEY}).`, {
    hint: 'Write one into kai.yaml and commit it, `snapshot_isolation: {tests: [{name: answers, run: "python3 logic.py"}]}`, then run it: `git kai-version snapshot test HEAD`',
    data: { scenarios: [] },
  });

function notPassed(
  { name, testAs }: Candidate,
  asking: string,
  tree: string,
  short: readonly ScenarioVerdict[],
  isolation: AgentConfig["snapshot_isolation"],
): KaiError {
  const options = isolation.default_isolation === "none" ? " --process container" : "";
  const alone = short.some(({ why }) => why === NOT_COMPARED) ? "git kai-version snapshot test current && " : "";
  const unsigned = short.some(({ why }) => why === "nobody signed it");
  return new KaiError(
    "E129",
    `${name} has not passed its tests in a snapshot, and ${asking} asks for it (${KEY}): ${short.slice(0, SHOWN).map(told).join("; ")}${short.length > SHOWN ? "; …" : ""}.`,
    {
      hint: `Run them: \`${alone}git kai-version snapshot test ${testAs}${options}\`${unsigned ? ", with a tester's key; where that has a passphrase, set KAI_KEY_PASSPHRASE" : ""}`,
      data: { tree, scenarios: short },
    },
  );
}

const SHOWN = 5;

function told({ name, state, why }: ScenarioVerdict): string {
  if (state === "failed") return `${name} failed`;
  return why === null ? `${name} was not run` : `the run of ${name} does not count: ${why}`;
}
