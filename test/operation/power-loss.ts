import {
  type BigIntStats,
  cpSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { canonicalJson } from "../../src/operation/canonical-json.js";
import { type FileIdentity, identityOf, type WorktreeManifest } from "../../src/operation/worktree-manifest.js";
import { pathBelow } from "../../src/system/path-bytes.js";
import { type Agent, copyAgent } from "../support/agent.js";
import { type Bytes, type DiskCall, DiskModel, type Names } from "./disk-model.js";
import { isTemporaryObject, recoverAndJudge, type Scenario, startOf } from "./judge.js";
import type { SweepResult } from "./kill-sweep.js";
import { COMMIT_POINT, runTraced } from "./run-traced.js";

/** What is lost with the power: first as ext4 does it, which keeps names in order, then as a disk may that promises no more than POSIX. */
export const LOSSES: readonly { readonly names: Names; readonly bytes: Bytes }[] = [
  { names: "ordered", bytes: "dropped" },
  { names: "kept", bytes: "dropped" },
  { names: "kept", bytes: "zeroed" },
  { names: "dropped", bytes: "dropped" },
  { names: "dropped", bytes: "kept" },
  { names: "some", bytes: "some" },
];

/** The power goes before this call (from 1; one more than there are: when the command has ended). */
export interface PowerLoss {
  readonly at: number;
  readonly names: Names;
  readonly bytes: Bytes;
}

/** A command that was run to its end once, with all that it did to the disk. */
export class Recording {
  readonly #scenario: Scenario;
  readonly #agent: Agent;
  /** The same before the command. */
  readonly #pristine: Agent;
  readonly #calls: readonly DiskCall[];
  readonly #names: readonly string[];

  private constructor(
    scenario: Scenario,
    agent: Agent,
    pristine: Agent,
    calls: readonly DiskCall[],
    names: readonly string[],
  ) {
    this.#scenario = scenario;
    this.#agent = agent;
    this.#pristine = pristine;
    this.#calls = calls;
    this.#names = names;
  }

  static async of(scenario: Scenario): Promise<Recording> {
    const [agent, pristine] = [copyAgent(scenario.agent), copyAgent(scenario.agent)];
    const record = path.join(path.dirname(agent.dir), "calls.jsonl");
    const { exit, stdout, stderr, calls } = await runTraced(agent, scenario.args, undefined, record);
    if (exit !== 0) throw new Error(`${scenario.name} fails by itself: ${stdout}${stderr}`);
    const lines = readFileSync(record, "utf8").trimEnd().split("\n");
    return new Recording(
      scenario,
      agent,
      pristine,
      lines.map((line) => JSON.parse(line)),
      calls,
    );
  }

  get length(): number {
    return this.#calls.length;
  }

  remove(): void {
    for (const { dir } of [this.#agent, this.#pristine]) {
      rmSync(path.dirname(dir), { recursive: true, force: true, maxRetries: 3 });
    }
  }

  /** Takes the power away at each of these moments, recovers, and looks for anything amiss. */
  async lose(losses: readonly PowerLoss[]): Promise<SweepResult> {
    const before = startOf({ ...this.#scenario, agent: this.#pristine });
    const { lasting } = this;
    const failures: string[] = [];
    const ended = { before: 0, after: 0 };
    for (const loss of losses) {
      this.#rebuild(loss);
      // Two git processes may write the same object; that the second one removed its own may be lost, too.
      const mayStay = this.#isUnderWay() ? () => false : isTemporaryObject;
      const { side, problems } = await recoverAndJudge(this.#scenario, this.#agent, before, mayStay);
      ended[side]++;
      if (side === "before" && loss.at > lasting) problems.push("what was done is not done any more");
      const call = (this.#names[loss.at - 1] ?? "its end").replaceAll(this.#agent.dir, "");
      const where = `${this.#scenario.name}, names ${loss.names}, bytes ${loss.bytes} at call ${loss.at} (${call}), ${side}`;
      failures.push(...problems.map((problem) => `${where}: ${problem}`));
    }
    return { tried: losses.length, ...ended, failures };
  }

  /** The call from which on the commit point lasts: the sync of the folder that names the log's ref. */
  get lasting(): number {
    const point = this.#names.findIndex((name) => new RegExp(COMMIT_POINT).test(name));
    const folder = path.join(this.#agent.dir, ".git/refs/kai");
    return 1 + this.#calls.findIndex((call, index) => index > point && call.do === "sync" && call.path === folder);
  }

  /** Whether the next command finds something to recover, and with it what git left. */
  #isUnderWay(): boolean {
    const journal = path.join(this.#agent.dir, ".git/kai/journal");
    return existsSync(journal) && readdirSync(journal).length > 0;
  }

  #rebuild({ at, names, bytes }: PowerLoss): void {
    const disk = DiskModel.read(this.#pristine.dir, this.#agent.dir);
    for (const call of this.#calls.slice(0, at - 1)) disk.take(call);
    const now = disk.loseAndWrite(names, bytes, randomFrom(at));
    renewIdentities(this.#agent.dir, now);
    const [home, from] = [this.#agent, this.#pristine].map(({ dir }) => path.join(path.dirname(dir), "home"));
    if (home === undefined || from === undefined) return;
    rmSync(home, { recursive: true, force: true });
    cpSync(from, home, { recursive: true, preserveTimestamps: true });
  }
}

/** Files of a disk that was rebuilt have other inodes: in the plan of an operation those of their likes take their place. */
function renewIdentities(root: string, now: ReadonlyMap<string, string>): void {
  const staging = path.join(root, ".git/kai/staging");
  for (const operation of existsSync(staging) ? readdirSync(staging) : []) {
    const folder = path.join(staging, operation);
    const file = path.join(folder, "manifest");
    const manifest = parseManifest(file);
    if (manifest === undefined) continue;
    const like = (seen: FileIdentity | null, place: Buffer | undefined): FileIdentity | null => {
      const stat = place && lookAt(place);
      return seen && stat ? { ...identityOf(stat), size: seen.size } : seen;
    };
    const steps = manifest.steps.map((step) => {
      if (step.kind === "submodule") return step;
      const original = now.get(step.path);
      const before = like(step.before, original === undefined ? undefined : Buffer.from(original, "latin1"));
      if (step.kind === "remove") return { ...step, before };
      const staged = pathBelow(`${folder}/files`, step.path);
      const placed = lookAt(staged) ? staged : pathBelow(root, step.path);
      return { ...step, before, placed: like(step.placed, placed) ?? step.placed };
    });
    writeFileSync(file, canonicalJson({ steps }));
  }
}

function lookAt(file: Buffer): BigIntStats | undefined {
  try {
    return lstatSync(file, { bigint: true });
  } catch {
    // Nothing is there, or something else than a folder above it.
    return undefined;
  }
}

function parseManifest(file: string): WorktreeManifest | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // Not written yet, or lost.
    return undefined;
  }
}

/** Numbers from 0 to 1, the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
