import path from "node:path";
import { openRepository } from "../../src/git/repository.js";
import { type Entry, LOG_REF, NOTES_REF } from "../../src/operation/entry.js";
import { withOperationLock } from "../../src/operation/with-operation-lock.js";
import { verifyVersions } from "../../src/version/verify.js";
import { recoverAgent } from "../../src/version/writing-session.js";
import type { Agent } from "../support/agent.js";
import { foundBy, type LiveState, problemsOfRunning, stateOf } from "./live-agent.js";
import { entryAt, leftovers, type Observed, observe } from "./observe.js";
import type { Strike } from "./run-traced.js";

export type Side = "before" | "after";

/** A command to be struck at each of its writing calls. */
export interface Scenario {
  readonly name: string;
  /** The agent as it is before the command; left alone, each strike gets a copy. */
  readonly agent: Agent;
  readonly args: readonly string[];
  /** The most calls that are struck, where one is much like the next; absent for all. */
  readonly most?: number;
  /** A command that is killed at this call first, so that `args` finds it interrupted. */
  readonly interrupt?: { readonly args: readonly string[]; readonly strike: Strike };
  /** Whether the working tree follows HEAD when the command is done: not where changes that are not committed stay. */
  readonly cleanAfter?: boolean;
  /** The live state when it is done; absent where it is to stay as it is. */
  readonly stateAfter?: LiveState;
  /** Whether the agent runs, and is to run when all is over. */
  readonly runs?: boolean;
  /** What is done in each copy before the command, and ends what may run behind it. */
  readonly live?: { start(agent: Agent): Promise<void>; end(agent: Agent): Promise<void> };
  /** What the command writes in a folder that git ignores, judged apart; the folder's name ends with `/`. */
  readonly own?: {
    readonly folder: string;
    problems(agent: Agent, side: Side): Promise<string[]>;
  };
}

/** An agent at the moment before the command. */
export interface Start {
  readonly seen: Observed;
  readonly state: LiveState;
}

export const startOf = ({ agent }: Scenario): Start => ({ seen: observe(agent), state: stateOf(agent) });

/** Recovers what was interrupted, and says on which side the log is and what does not agree with it. */
export async function recoverAndJudge(
  scenario: Scenario,
  agent: Agent,
  before: Start,
  mayStay: (file: string) => boolean = () => false,
): Promise<{ side: Side; problems: string[] }> {
  const problems: string[] = [];
  await recoverHere(agent).catch((cause) => problems.push(`recover: ${cause.code} ${cause.message}`));
  const seen = withoutFailure(agent, observe(agent));
  const side = seen.refs.get(LOG_REF) === before.seen.refs.get(LOG_REF) ? "before" : "after";
  const apart = (name: string) => isState(name) || (scenario.own && name.startsWith(scenario.own.folder)) === true;
  const [was, is] = [without(before.seen, apart), without(seen, apart)];
  problems.push(...(side === "before" ? differences(was, is) : await judgeAfter(scenario, agent, was, is)));
  problems.push(...(await judgeState(scenario, agent, before, side)));
  problems.push(...((await scenario.own?.problems(agent, side)) ?? []));
  problems.push(...(await judgeWhole(agent, seen, mayStay)));
  return { side, problems };
}

/** Where it had acted and failed, the log has one entry more that says so: all else is as before. */
function withoutFailure(agent: Agent, seen: Observed): Observed {
  const failed = seen.refs.has(LOG_REF) && entryAt(agent, LOG_REF).details["happened"] === false;
  return failed ? { ...seen, refs: new Map([...seen.refs, [LOG_REF, agent.git("rev-parse", `${LOG_REF}^`)]]) } : seen;
}

/** As the program does, but without starting it. */
async function recoverHere({ dir, env }: Agent): Promise<void> {
  const caller = { cwd: dir, env, now: () => new Date(), progress: () => {}, onRecovered: () => {} };
  await recoverAgent(caller);
}

/** An object that git had begun to write; its own gc removes it where nothing of ours was under way. */
export const isTemporaryObject = (file: string): boolean => path.basename(file).startsWith("tmp_obj_");

const isState = (name: string): boolean => name === "state.json" || name.startsWith("memory.sqlite");

const without = (observed: Observed, apart: (name: string) => boolean): Observed => ({
  ...observed,
  files: new Map([...observed.files].filter(([name]) => !apart(name))),
});

/** The live state is that of the same side to the byte and the row, what it replaced is kept, and the agent runs on it. */
async function judgeState(scenario: Scenario, agent: Agent, before: Start, side: Side): Promise<string[]> {
  const expected = (side === "after" && scenario.stateAfter) || before.state;
  const now = stateOf(agent);
  const problems = show(now) === show(expected) ? [] : [`the state is ${show(now)}`];
  if (side === "after" && scenario.stateAfter) {
    const ref = `refs/kai/backup/${operationAt(agent).id}-state`;
    const kept = await agent.run("git", ["grep", "--quiet", "--fixed-strings", before.state.file?.trim() ?? "", ref]);
    if (kept.exit !== 0) problems.push(`what the state was is not in ${ref}`);
  }
  if (scenario.runs) problems.push(...(await problemsOfRunning(agent, foundBy(agent, expected))));
  return problems;
}

/** The newest operation; how it ended is told by an entry of its own. */
function operationAt(agent: Agent): Entry & { readonly commit: string } {
  const commit = agent.git("rev-parse", LOG_REF);
  const entry = entryAt(agent, commit);
  if (entry.kind !== "outcome") return { ...entry, commit };
  const of = agent.git("rev-parse", `${LOG_REF}^`);
  return { ...entryAt(agent, of), commit: of };
}

/** Nothing happened: all is as it was, but for backups, which are kept. */
function differences(before: Observed, now: Observed): string[] {
  const problems: string[] = [];
  for (const [name, id] of before.refs) if (now.refs.get(name) !== id) problems.push(`${name} was ${id}`);
  for (const name of now.refs.keys()) {
    if (!before.refs.has(name) && !name.startsWith("refs/kai/backup/")) problems.push(`${name} is new`);
  }
  problems.push(...fileDifferences(before.files, now.files));
  if (before.status !== now.status) problems.push(`status ${show(now.status)}`);
  if (before.staged !== now.staged) problems.push("the index differs");
  return problems;
}

function fileDifferences(before: Observed["files"], now: Observed["files"]): string[] {
  const names = new Set([...before.keys(), ...now.keys()]);
  return [...names]
    .filter((name) => before.get(name) !== now.get(name))
    .map((name) => `file ${name}: ${before.get(name)} -> ${now.get(name)}`);
}

/** All of it happened: one entry more, and every ref as the entry says. */
async function judgeAfter(scenario: Scenario, agent: Agent, before: Observed, now: Observed): Promise<string[]> {
  const problems: string[] = [];
  const entry = operationAt(agent);
  const parents = agent.git("log", "-1", "--format=%P", entry.commit);
  if (parents !== (before.refs.get(LOG_REF) ?? "")) problems.push(`the log has more than one new entry: ${parents}`);
  problems.push(...refsBy(entry, before, now));
  problems.push(...noteProblems(agent, entry, now));
  const tracked = new Set(agent.git("ls-files", "-z").split("\0"));
  const was = [...before.files].filter(
    ([name]) => !name.endsWith("/") && !tracked.has(name) && !isTracked(before, name),
  );
  for (const [name, bytes] of was) if (now.files.get(name) !== bytes) problems.push(`the user's ${name} is lost`);
  const changed = now.status.split("\0").filter((line) => line !== "" && !line.startsWith("? "));
  if (scenario.cleanAfter !== false && changed.length > 0) problems.push(`not clean: ${changed.join(", ")}`);
  return problems;
}

const isTracked = (observed: Observed, name: string): boolean => observed.staged.includes(`\t${name}\0`);

function refsBy(entry: Entry, before: Observed, now: Observed): string[] {
  const expected = new Map(before.refs);
  for (const { ref, new: next } of entry.changes) {
    if (next === null) expected.delete(ref);
    else expected.set(ref, next);
  }
  const ours = (name: string) => name === LOG_REF || name === NOTES_REF || name.startsWith("refs/kai/backup/");
  const names = new Set([...expected.keys(), ...now.refs.keys()]);
  return [...names]
    .filter((name) => !ours(name) && expected.get(name) !== now.refs.get(name))
    .map((name) => `${name} is ${now.refs.get(name)} and should be ${expected.get(name)}`);
}

/** The note of what was made holds its operation once. */
function noteProblems(agent: Agent, entry: Entry, now: Observed): string[] {
  if (["init", "undo", "state"].includes(entry.kind)) return [];
  if (!now.refs.has(NOTES_REF)) return ["there are no notes"];
  const listed = agent.git("notes", `--ref=${NOTES_REF}`, "list").split("\n");
  const texts = listed.map((line) => agent.git("cat-file", "blob", line.split(" ")[0] ?? ""));
  const told = texts.join("\n").split(entry.id).length - 1;
  return told === 1 ? [] : [`the notes tell of the operation ${told} times`];
}

/** Sound, clean of leftovers, and recovered for good. */
async function judgeWhole(agent: Agent, seen: Observed, mayStay: (file: string) => boolean): Promise<string[]> {
  const problems: string[] = [];
  const fsck = await agent.run("git", ["fsck", "--strict", "--no-dangling", "--no-progress"]);
  if (fsck.exit !== 0 || fsck.stderr !== "") problems.push(`fsck: ${fsck.stdout}${fsck.stderr}`);
  const left = leftovers(agent).filter((file) => !mayStay(file));
  if (left.length > 0) problems.push(`left behind: ${left.join(", ")}`);
  const pending = [...seen.refs.keys()].filter((name) => /^refs\/kai\/(pending|conflict)\//.test(name));
  if (pending.length > 0) problems.push(`refs left behind: ${pending.join(", ")}`);
  await withOperationLock(
    await openRepository(agent.dir, agent.env),
    { purpose: "recover", onRecovered: () => problems.push("a second recover found something") },
    async () => {},
  );
  const twice = withoutFailure(agent, observe(agent));
  if (show(twice) !== show(seen)) problems.push("a second recover changed something");
  if (!seen.refs.has(LOG_REF)) return problems;
  const pointer = seen.refs.get("refs/tags/current") ?? null;
  const entry = entryAt(agent, LOG_REF);
  if ((entry.current.after?.pointer ?? null) !== pointer) problems.push("`current` is not what the log says");
  const verified = await verifyVersions(
    { cwd: agent.dir, env: agent.env, now: () => new Date(), progress: () => {} },
    { versions: [], all: true, deep: true },
  ).catch((cause) => ({ ok: false, cause: `${cause.code} ${cause.message}` }));
  if (!verified.ok) problems.push(`verify: ${JSON.stringify(verified)}`);
  return problems;
}

const show = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) => (each instanceof Map ? [...each] : each));
