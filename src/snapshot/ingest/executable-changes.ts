import type { AgentConfig } from "../../agent/config.js";
import { readablePath } from "../../system/path-bytes.js";
import type { FolderView } from "./folder-view.js";
import { LinkWalk } from "./link-walk.js";
import { namedBy } from "./named-by-command.js";
import type { WhyNamed } from "./named-by-git.js";
import { NamingBudget } from "./naming-budget.js";
import { whyObeyed } from "./obeyed-files.js";
import { PathSet } from "./path-set.js";

/** A change that later runs on a host, or loosens what holds it: it is shown apart, and takes `--allow-executable`. */
export interface ExecutableChange {
  /** Readable. */
  readonly path: string;
  readonly reason: string;
}

/** The configurations whose commands a change could come to be run by. */
export interface ConfigsAround {
  readonly before: AgentConfig;
  /** Null where the new one cannot be read. */
  readonly after: AgentConfig | null;
  /** That of the branch which the change is put on top of; null where it is put on none. */
  readonly onto: AgentConfig | null;
  /** By the configuration of the git that is here. */
  readonly byGit: WhyNamed;
}

/**
 * Of what a sandbox changed, what would run later: scripts that a command of kai.yaml names, before or after the change or where it
 * is put, itself or through links, kai.yaml itself where a command or what confines a sandbox is another, what git and forges read as
 * instructions, and what git's configuration names.
 */
export async function findExecutable(
  /** Bytes as latin1 text. */
  paths: readonly string[],
  { before, after, onto, byGit }: ConfigsAround,
  /** The trees that it is in before and after the change, and where it is put: all of `paths` are in one of them. */
  around: readonly FolderView[],
): Promise<ExecutableChange[]> {
  const commands = [before, after, onto].flatMap((config) => (config ? commandsOf(config) : []));
  const keys = new Map(commands.reverse().map(({ key, run }) => [run, key]));
  const walk = new LinkWalk(around);
  const budget = new NamingBudget();
  const whys: ((path: string) => string | undefined)[] = [];
  for (const [run, key] of [...keys].reverse()) {
    const { names, isNamed } = namedBy(run, budget);
    const { links, ends, tooMany } = await walk.from(names);
    const led = new PathSet(ends);
    whys.push((path) => {
      if (isNamed(readablePath(path)))
        return budget.isSpent ? `${key} names too much to be looked at` : `${key} runs it`;
      if (links.has(path)) return `${key} goes through it`;
      if (led.covers(path)) return `${key} leads to it, by a link or from another folder`;
      return tooMany ? `${key} names too much to be looked at` : undefined;
    });
  }
  const found: ExecutableChange[] = [];
  for (const path of paths) {
    const readable = readablePath(path);
    const whyRun = () => whys.reduce<string | undefined>((found, why) => found ?? why(path), undefined);
    const reason =
      readable === "kai.yaml" ? whyConfig(before, after) : (whyObeyed(path) ?? byGit(readable) ?? whyRun());
    if (reason !== undefined) found.push({ path: readable, reason });
  }
  return found;
}

function whyConfig(before: AgentConfig, after: AgentConfig | null): string | undefined {
  if (after === null) return "it cannot be read any more";
  const parts = (Object.keys(CONFINED) as (keyof typeof CONFINED)[]).filter(
    (key) => JSON.stringify(CONFINED[key](before)) !== JSON.stringify(CONFINED[key](after)),
  );
  return parts.length === 0 ? undefined : `it changes ${parts.join(", ")}`;
}

/** What of kai.yaml runs something, or says what a sandbox may do. */
const CONFINED = {
  lifecycle: (config: AgentConfig) => config.lifecycle,
  events: (config: AgentConfig) => config.events,
  snapshot_isolation: (config: AgentConfig) => config.snapshot_isolation,
  rollback_system: (config: AgentConfig) => config.rollback_system,
  deploy: (config: AgentConfig) => config.deploy,
  "artifacts.build": (config: AgentConfig) => config.version_management.artifacts.build,
  "artifacts.state": (config: AgentConfig) => config.version_management.artifacts.state,
} as const;

interface NamedCommand {
  readonly key: string;
  readonly run: string;
}

function commandsOf(config: AgentConfig): NamedCommand[] {
  const { lifecycle, events, snapshot_isolation: isolation, version_management: versions } = config;
  const commands: { key: string; run: string | null | undefined }[] = [
    ...(["stop", "start", "health", "install", "migrate"] as const).map((step) => ({
      key: `lifecycle.${step}`,
      run: lifecycle[step]?.run,
    })),
    ...events.map(({ run }, index) => ({ key: `events[${index}]`, run })),
    ...isolation.tests.map(({ name, run }) => ({ key: `the test ${name}`, run })),
    ...Object.entries(isolation.secrets).map(([name, from]) => ({ key: `the secret ${name}`, run: commandOf(from) })),
    { key: "artifacts.build", run: versions.artifacts.build.command },
  ];
  return commands.flatMap(({ key, run }) => (run ? [{ key, run }] : []));
}

const commandOf = (source: string): string | undefined =>
  source.startsWith("command:") ? source.slice("command:".length) : undefined;
