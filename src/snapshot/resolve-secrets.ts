import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { KaiError } from "../error.js";
import { isPodmanVariable } from "../podman/podman.js";
import { agentEnvironment } from "../system/agent-environment.js";
import { runProcess } from "../system/process.js";
import type { SecretSource } from "./snapshot-settings.js";

const LARGEST = 64 * 1024;
const PATIENCE_MS = 30_000;

export interface SecretContext {
  readonly env: NodeJS.ProcessEnv;
  /** Relative paths are seen from there, and commands run there. */
  readonly cwd: string;
  /** Refuses where kai.yaml may not say what of this machine a sandbox is given: whoever signed it must be trusted for that. */
  readonly requireTrust: () => Promise<void>;
}

/**
 * The values of a snapshot's secrets, by variable: `env:NAME`, `file:PATH` (`~/` is the home; without the line feed at its end) or `command:COMMAND`
 * (its output, the same). They go to the sandbox's environment and nowhere else. E123 where one cannot be had.
 */
export async function resolveSecrets(
  sources: Readonly<Record<string, SecretSource>>,
  context: SecretContext,
): Promise<Record<string, string>> {
  const values: Record<string, string> = {};
  if (Object.values(sources).some(({ byCaller }) => !byCaller)) await context.requireTrust();
  for (const [name, { from }] of Object.entries(sources)) {
    if (isPodmanVariable(name)) {
      throw new KaiError("E122", `A secret cannot be called ${name}: podman reads that variable itself.`, {
        hint: "Give it another name, in `snapshot_isolation.secrets` or with `--secret`.",
      });
    }
    const value = await secretFrom(name, from, context);
    if (value.includes("\0")) throw cannotHave(name, "it holds a NUL, which no environment can");
    values[name] = value;
  }
  return values;
}

/**
 * Those of the values that can be had now and without anybody being asked, to look for them: of commands, which may ask, none, and
 * none where that fails.
 */
export async function findSecrets(
  sources: Readonly<Record<string, SecretSource>>,
  context: SecretContext,
): Promise<string[]> {
  let trust: Promise<void> | undefined;
  const requireTrust = () => {
    trust ??= context.requireTrust();
    return trust;
  };
  const found: string[] = [];
  for (const [name, source] of Object.entries(sources)) {
    if (source.from.startsWith("command:")) continue;
    try {
      found.push(...Object.values(await resolveSecrets({ [name]: source }, { ...context, requireTrust })));
    } catch (cause) {
      if (!(cause instanceof KaiError)) throw cause;
    }
  }
  return found;
}

async function secretFrom(name: string, source: string, context: SecretContext): Promise<string> {
  const colon = source.indexOf(":");
  const [kind, from] = [source.slice(0, colon), source.slice(colon + 1)];
  if (kind === "env") {
    const value = context.env[from];
    if (value === undefined) throw cannotHave(name, `${from} is not set in your environment`);
    return value;
  }
  if (kind === "file") {
    const bytes = await readFile(path.resolve(context.cwd, fromHome(from, context.env))).catch((cause: Error) => {
      throw cannotHave(name, cause.message);
    });
    if (bytes.length > LARGEST) throw cannotHave(name, `${from} holds more than ${LARGEST} bytes`);
    return bytes.toString().replace(/\r?\n$/, "");
  }
  const result = await runProcess({
    file: "/bin/sh",
    args: ["-c", from],
    cwd: context.cwd,
    env: agentEnvironment(context.env, {}),
    timeoutMs: PATIENCE_MS,
    maxOutput: LARGEST,
  });
  // What it printed may be a part of the secret, so it is not told.
  if (result.timedOut) throw cannotHave(name, `its command was not done after ${PATIENCE_MS / 1000} s`);
  if (result.exitCode === undefined) throw cannotHave(name, `its command was ended by ${result.signal}`);
  if (result.exitCode !== 0) throw cannotHave(name, `its command ended with status ${result.exitCode}`);
  return result.stdout.toString().replace(/\r?\n$/, "");
}

/** As a shell has it: `~/` is the caller's home. */
const fromHome = (file: string, env: NodeJS.ProcessEnv): string =>
  file.startsWith("~/") ? path.join(env["HOME"] || homedir(), file.slice(2)) : file;

const cannotHave = (name: string, why: string): KaiError =>
  new KaiError("E123", `The secret ${name} cannot be had: ${why}.`, {
    hint: "`snapshot_isolation.secrets` of the version's kai.yaml says where it comes from; `--secret NAME=SOURCE` says another place.",
  });
