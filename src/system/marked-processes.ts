import { readdir, readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { AGENT_MARK } from "./agent-environment.js";

/** A process as /proc/<id>/stat has it. */
export interface RunningProcess {
  readonly id: number;
  /** The program's name, cut off after 15 bytes. */
  readonly name: string;
  readonly parent: number;
  readonly session: number;
  /** Clock ticks since boot: with the number, which process this is. */
  readonly started: string;
}

export interface EndedProcesses {
  /** The strongest signal that it took; null where nothing ran. */
  readonly signal: "SIGTERM" | "SIGKILL" | null;
  /** What not even SIGKILL ended. */
  readonly left: readonly RunningProcess[];
}

/** What dies of SIGKILL does so at once, unless the kernel holds it: then nobody waits any longer. */
export const DEATH_MS = 3000;

/**
 * What runs and is marked as started for this agent, and what that started; not what ends, and nothing of ours: an agent may
 * call this program itself. A process that overwrites its own environment (setproctitle) is found through its parents only.
 * Empty where there is no /proc.
 */
export const listMarked = (agent: string): Promise<RunningProcess[]> => listStarted(markedAs(agent));

/** The same of each of several agents, in one look at what runs; without those of which nothing does. */
export async function listMarkedOf(agents: readonly string[]): Promise<Map<string, RunningProcess[]>> {
  const found = await listStartedEach(agents.map(markedAs));
  return new Map(agents.map((agent, index) => [agent, found[index] ?? []] as const).filter(([, { length }]) => length));
}

/** Ends all of them, whatever they do: SIGTERM, after `graceMs` SIGKILL until none is left. */
export const endMarked = (agent: string, graceMs: number): Promise<EndedProcesses> =>
  endStarted(markedAs(agent), graceMs);

/** Waits for them to end by themselves. */
export const areGoneWithin = (agent: string, ms: number): Promise<boolean> => goneWithin(markedAs(agent), ms);

/** Ends what an operation's own commands go on doing when nobody waits for them any more; no agent that they started. */
export const endCommandsOf = (operation: string): Promise<EndedProcesses> =>
  endStarted(
    (environment) =>
      environment.includes(`\0KAI_OPERATION=${operation}\0`) && !environment.includes(`\0${AGENT_MARK}=`),
    0,
  );

/** Of a process's environment, as latin1 text with a NUL around each variable: whether it is sought. */
type IsSought = (environment: string) => boolean;

const markedAs =
  (agent: string): IsSought =>
  (environment) =>
    environment.includes(`\0${AGENT_MARK}=${agent}\0`);

const listStarted = async (isSought: IsSought): Promise<RunningProcess[]> => (await listStartedEach([isSought])).flat();

async function listStartedEach(sought: readonly IsSought[]): Promise<RunningProcess[][]> {
  const ids = await listIds();
  const roots = sought.map(() => new Set<number>());
  const look = async (id: number) => {
    const environment = await readEnvironment(id);
    for (const [index, isSought] of sought.entries()) if (isSought(environment)) roots[index]?.add(id);
  };
  await Promise.all(ids.map(look));
  if (roots.every(({ size }) => size === 0)) return [];
  const seen = await Promise.all(ids.map(findRunning));
  const running = seen.filter((each) => each !== undefined);
  return roots.map((each) => withDescendants(running, each));
}

async function endStarted(isSought: IsSought, graceMs: number): Promise<EndedProcesses> {
  const found = await listStarted(isSought);
  if (found.length === 0) return { signal: null, left: [] };
  await signalAll(found, "SIGTERM");
  if (await goneWithin(isSought, graceMs)) return { signal: "SIGTERM", left: [] };
  const until = performance.now() + DEATH_MS;
  for (;;) {
    // What was forked meanwhile is found by the next look.
    const left = await listStarted(isSought);
    if (left.length === 0 || performance.now() > until) return { signal: "SIGKILL", left };
    await signalAll(left, "SIGKILL");
    await pause(20);
  }
}

async function goneWithin(isSought: IsSought, ms: number): Promise<boolean> {
  const until = performance.now() + ms;
  for (let wait = 10; ; wait = Math.min(wait * 2, 200)) {
    if ((await listStarted(isSought)).length === 0) return true;
    const left = until - performance.now();
    if (left <= 0) return false;
    await pause(Math.min(wait, left));
  }
}

async function listIds(): Promise<number[]> {
  const names = await readdir("/proc").catch(() => []);
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}

const readEnvironment = async (id: number): Promise<string> =>
  `\0${await readFile(`/proc/${id}/environ`, "latin1").catch(() => "")}`;

/** Undefined for what is gone, or ends and waits for its parent only. */
async function findRunning(id: number): Promise<RunningProcess | undefined> {
  const stat = await readFile(`/proc/${id}/stat`, "latin1").catch(() => "");
  // The name may hold anything, also brackets and spaces.
  const end = stat.lastIndexOf(")");
  const fields = stat.slice(end + 2).split(" ");
  const [state, parent, , session] = fields;
  const started = fields[19];
  if (started === undefined || state === "Z" || state === "X") return undefined;
  const name = stat.slice(stat.indexOf("(") + 1, end);
  return { id, name, parent: Number(parent), session: Number(session), started };
}

function withDescendants(running: readonly RunningProcess[], roots: ReadonlySet<number>): RunningProcess[] {
  const children = byParent(running);
  const ours = ownProcesses(running, children);
  const found = new Set<RunningProcess>();
  const waiting = running.filter(({ id }) => roots.has(id));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (found.has(next) || ours.has(next.id)) continue;
    found.add(next);
    waiting.push(...(children.get(next.id) ?? []));
  }
  return [...found];
}

/** This process, the git that it is a command of, and its children, but for those that it gave a session of their own. */
function ownProcesses(
  running: readonly RunningProcess[],
  children: ReadonlyMap<number, RunningProcess[]>,
): Set<number> {
  const self = running.find(({ id }) => id === process.pid);
  const ours = new Set([process.pid]);
  const git = running.find(({ id, name }) => id === process.ppid && name === "git");
  if (git) ours.add(git.id);
  const waiting = [process.pid];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const child of children.get(next) ?? []) {
      if (child.session !== self?.session || ours.has(child.id)) continue;
      ours.add(child.id);
      waiting.push(child.id);
    }
  }
  return ours;
}

function byParent(running: readonly RunningProcess[]): Map<number, RunningProcess[]> {
  const children = new Map<number, RunningProcess[]>();
  for (const each of running) {
    const siblings = children.get(each.parent);
    if (siblings) siblings.push(each);
    else children.set(each.parent, [each]);
  }
  return children;
}

async function signalAll(processes: readonly RunningProcess[], signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  await Promise.all(
    processes.map(async ({ id, started }) => {
      // Its number may be another's by now.
      if ((await findRunning(id))?.started !== started) return;
      try {
        process.kill(id, signal);
        // One that is stopped hears the former only now.
        if (signal === "SIGTERM") process.kill(id, "SIGCONT");
      } catch {
        // It ended, or is another user's: whoever looks next finds it.
      }
    }),
  );
}
