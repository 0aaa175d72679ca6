import type { AgentConfig } from "../agent/config.js";
import { parseDuration, parseRate, parseSize } from "../agent/quantity.js";
import { KaiError } from "../error.js";
import type { SnapshotOptions } from "./snapshot-settings.js";

type Limits = AgentConfig["snapshot_isolation"]["resource_limits"];

export interface LimitSettings {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly storageBytes: number;
  readonly pids: number;
  /** Bits per second, both ways together. */
  readonly bandwidth: number;
  /** How many, or `all`; null for none. */
  readonly gpus: string | null;
  /** The time that one execution may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** The container's first process, and the command. */
const LEAST_PIDS = 2;
const LARGEST_PIDS = 4_194_304;

/** Those of kai.yaml, with what the caller asked for on top. E122 for what cannot be read, or is less than a sandbox begins with. */
export function limitsOf(limits: Limits, options: SnapshotOptions): LimitSettings {
  return {
    cpus: options.cpus === undefined ? Number(limits.cpu) : numberOf("--cpus", options.cpus, 0.01, 1024),
    memoryBytes: memoryOf(options.memory ?? limits.memory),
    storageBytes: storageOf(options.storage ?? limits.storage),
    pids: options.pids === undefined ? limits.pids : wholeOf("--pids", options.pids, LEAST_PIDS, LARGEST_PIDS),
    bandwidth: parseRate(options.bandwidth ?? limits.network_bandwidth),
    gpus: someOf(gpusOf(options.gpus) ?? limits.gpu),
    timeoutMs: parseDuration(options.timeout ?? limits.timeout),
  };
}

/** With less the runtime itself cannot begin. */
const LEAST_MEMORY = 4 * 1024 * 1024;

function memoryOf(written: string): number {
  const bytes = parseSize(written);
  if (bytes >= LEAST_MEMORY) return bytes;
  throw usage(`No sandbox begins with so little memory as ${written}.`, "Give it 4Mi or more; Python takes some 16Mi.");
}

/** A file system of its own has no less. */
const LEAST_STORAGE = 4 * 1024 * 1024;

function storageOf(written: string): number {
  const bytes = parseSize(written);
  if (bytes >= LEAST_STORAGE) return bytes;
  throw usage(`No sandbox's file system is as small as ${written}.`, "Give it 4Mi or more.");
}

function gpusOf(written: string | undefined): string | undefined {
  if (written === undefined || /^(?:all|\d{1,2})$/.test(written)) return written;
  throw usage(`--gpus takes a number of GPUs or \`all\`, not ${JSON.stringify(written)}.`);
}

const someOf = (gpus: string | null): string | null => (Number(gpus) === 0 ? null : gpus);

function numberOf(option: string, written: string, least: number, most: number): number {
  const number = /^\d{1,4}(?:\.\d{1,4})?$/.test(written) ? Number(written) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw usage(`${option} takes a number from ${least} to ${most}, not ${JSON.stringify(written)}.`);
}

function wholeOf(option: string, written: string, least: number, most: number): number {
  const number = /^\d{1,10}$/.test(written) ? Number(written) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw usage(`${option} takes a number from ${least} to ${most}, not ${JSON.stringify(written)}.`);
}

const usage = (message: string, hint?: string): KaiError => new KaiError("E122", message, { hint });
