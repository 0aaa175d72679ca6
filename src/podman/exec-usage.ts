import { writeFileSync } from "node:fs";
import type { ContainerUsage } from "./cgroup-usage.js";
import { findGroupFile, type GroupFile, readGroupFile } from "./container-group.js";
import type { RunningContainer } from "./start-container.js";

const CPU: GroupFile = { controller: "cpuacct", first: "cpuacct.usage", second: "cpu.stat" };
const PEAK: GroupFile = { controller: "memory", first: "memory.max_usage_in_bytes", second: "memory.peak" };

/**
 * Begins to watch what a container uses, and gives what says so of the time since: of all that runs in it. The kernel keeps the
 * peak of all its life; where only root with control groups of version 1 may begin that anew, and not while another one watches
 * (`alone` false), it is told only if it has grown meanwhile.
 */
export function watchUsage(container: RunningContainer, { alone }: { readonly alone: boolean }): () => ContainerUsage {
  if (container.ownKernel) return () => ({});
  const anew = alone && beginPeakAnew(container);
  const [cpuBefore, peakBefore = 0] = [readCpuMs(container), numberIn(container, PEAK)];
  return () => {
    const [cpu, peak] = [readCpuMs(container), numberIn(container, PEAK)];
    const isKnown = peak !== undefined && (anew || peak > peakBefore);
    return {
      ...(isKnown ? { peakMemory: peak } : {}),
      ...(cpu === undefined || cpuBefore === undefined ? {} : { cpuMs: Math.round(cpu - cpuBefore) }),
    };
  };
}

function beginPeakAnew(container: RunningContainer): boolean {
  const file = findGroupFile(container, PEAK);
  if (file === undefined || !file.endsWith(PEAK.first)) return false;
  try {
    writeFileSync(file, "0");
    return true;
  } catch {
    return false;
  }
}

/** Version 1 counts nanoseconds, version 2 microseconds, in a line of several. */
function readCpuMs(container: RunningContainer): number | undefined {
  const text = readGroupFile(container, CPU) ?? "";
  const micro = /^usage_usec (\d+)$/m.exec(text)?.[1];
  if (micro !== undefined) return Number(micro) / 1e3;
  return /^\d+\s*$/.test(text) ? Number(text) / 1e6 : undefined;
}

function numberIn(container: RunningContainer, file: GroupFile): number | undefined {
  const text = readGroupFile(container, file) ?? "";
  return /^\d+\s*$/.test(text) ? Number(text) : undefined;
}
