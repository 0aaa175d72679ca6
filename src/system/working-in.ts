import { readlink } from "node:fs/promises";
import path from "node:path";
import { AGENT_MARK } from "./agent-environment.js";
import { environmentOf, findProcess, type LiveProcess, listProcesses } from "./live-processes.js";
import { fileIdentity, liesIn } from "./process-paths.js";

const SHELLS = ["sh", "bash", "dash", "zsh", "fish", "ksh"];
/** What somebody reads, edits and looks around with. */
const TOOLS = [
  ..."cat less more most head tail tee grep rg sed sort uniq wc jq column xargs".split(" "),
  ..."vi vim nvim view nano emacs hx micro git tig gitk lazygit gh man find ls".split(" "),
  ..."watch top htop screen tmux script ssh sudo su strace gdb".split(" "),
  "tmux: client",
  "tmux: server",
];

/** What is known of the agent that is looked for. */
export interface SoughtAgent {
  /** What starts it: a tool that it names is the agent's. */
  readonly run?: string | undefined;
  /** The operation that looks: what a command of its own left behind, to stop the agent for example, is not the agent. */
  readonly operation?: string | undefined;
}

/**
 * The processes that work in a folder or below it, and may be the agent: they were most likely started there. Whoever starts it by
 * hand may do so from the same terminal, in the same session or group, by another command than that of kai.yaml, and keep the
 * terminal: none of these tells it from something else, so whatever is not known to be something else counts. That is this process
 * and those that it was started by; what is in a pipe with them (`… rollback | tee log | …`); a shell that waits for somebody to type;
 * a well-known tool for reading and editing, unless the start command names it; another run of this program, such as one that waits
 * for its turn, or the first process of its containers, and what a schedule began it with (`sh -c`, `timeout`); and what a command of this
 * operation left behind.
 * Undefined where there is no /proc; who belongs to another user may be missing.
 */
export async function listWorkingIn(folder: string, sought: SoughtAgent = {}): Promise<LiveProcess[] | undefined> {
  const identity = await fileIdentity(folder);
  const running = await listProcesses();
  if (running === undefined || identity === undefined) return running && [];
  const ours = await ownAncestors();
  const waiting = waitingForUs(running);
  const folders = new Set([identity]);
  const found = await Promise.all(
    running.map(async (each) => {
      const others =
        !ours.has(each.id) &&
        each.parent !== process.pid &&
        !waiting.has(each.id) &&
        !waitsForTyping(each) &&
        !isTool(each, sought) &&
        !isThisProgram(each);
      const there = others && (await liesIn(each.id, `/proc/${each.id}/cwd`, folders));
      return there && !(await isCommandOf(each.id, sought)) ? [each] : [];
    }),
  );
  if (found.every((each) => each.length === 0)) return [];
  const piped = await pipedWith(running, ours);
  return found.flat().filter(({ id }) => !piped.has(id));
}

async function ownAncestors(): Promise<Set<number>> {
  const ours = new Set<number>();
  let next: number | undefined = process.pid;
  while (next !== undefined && next > 0 && !ours.has(next)) {
    ours.add(next);
    next = (await findProcess(next))?.parent;
  }
  return ours;
}

/** One with a script, or with `-c`, has more than options behind its name. */
const waitsForTyping = ({ name, args }: LiveProcess): boolean =>
  SHELLS.includes(name) && args.slice(1).every((arg) => arg.startsWith("-"));

const isTool = ({ name }: LiveProcess, { run = "" }: SoughtAgent): boolean =>
  TOOLS.includes(name) && !run.split(/[^\w.+-]+/).includes(name);

const OURS = ["git-kai-version", "kai", ".kai-init"];

/** Node is told what to run. */
const isThisProgram = ({ name, args }: LiveProcess): boolean =>
  OURS.includes(name === "node" ? path.basename(args[1] ?? "") : name);

/** What stands between a schedule and this program, and does nothing meanwhile. */
const WAITERS = ["git", "flock", "timeout", "env", "nice", "ionice", "chrt", "setsid", "nohup", "time"];

/** A shell counts where a schedule began it (`sh -c`): one with a script may be the agent. */
const isWaiter = ({ name, args }: LiveProcess): boolean =>
  WAITERS.includes(name) || (SHELLS.includes(name) && /^-[a-z]*c$/.test(args[1] ?? ""));

/** Those that began another run of this program, and wait for it. An agent may begin one as well, and is no such waiter. */
function waitingForUs(running: readonly LiveProcess[]): Set<number> {
  const all = new Map(running.map((each) => [each.id, each]));
  const waiting = new Set<number>();
  for (const each of running.filter(isThisProgram)) {
    let above = all.get(each.parent);
    while (above !== undefined && isWaiter(above) && !waiting.has(above.id)) {
      waiting.add(above.id);
      above = all.get(above.parent);
    }
  }
  return waiting;
}

async function isCommandOf(id: number, { operation }: SoughtAgent): Promise<boolean> {
  if (operation === undefined) return false;
  const environment = await environmentOf(id);
  return environment?.get("KAI_OPERATION") === operation && !environment.has(AGENT_MARK);
}

/** Those that read what one of ours prints, or print what it reads, however many others, tools too, lie between. */
async function pipedWith(running: readonly LiveProcess[], ours: ReadonlySet<number>): Promise<Set<number>> {
  const all = await Promise.all(running.map(async ({ id }) => ({ id, ...(await pipesOf(id)) })));
  const own = all.filter(({ id }) => ours.has(id));
  const readers = all.map(({ id, input, outputs }) => ({ id, near: input, far: outputs }));
  const writers = all.map(({ id, input, outputs }) => ({ id, near: outputs, far: input }));
  return new Set([
    ...along(readers, new Set(own.flatMap(({ outputs }) => outputs))),
    ...along(writers, new Set(own.flatMap(({ input }) => input))),
  ]);
}

interface PipeEnds {
  readonly id: number;
  readonly near: readonly string[];
  readonly far: readonly string[];
}

/** Who is reached from these pipes, one way: what prints into the same pipe as one of ours may be the agent. */
function along(all: readonly PipeEnds[], pipes: Set<string>): Set<number> {
  const reached = new Set<number>();
  for (let before = -1; before !== reached.size; ) {
    before = reached.size;
    for (const { id, near, far } of all) {
      if (reached.has(id) || !near.some((pipe) => pipes.has(pipe))) continue;
      reached.add(id);
      for (const pipe of far) pipes.add(pipe);
    }
  }
  return reached;
}

async function pipesOf(id: number): Promise<{ readonly input: string[]; readonly outputs: string[] }> {
  const pipe = async (descriptor: number): Promise<string[]> => {
    const to = await readlink(`/proc/${id}/fd/${descriptor}`).catch(() => "");
    return to.startsWith("pipe:") ? [to] : [];
  };
  return { input: await pipe(0), outputs: [...(await pipe(1)), ...(await pipe(2))] };
}
