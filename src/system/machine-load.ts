import { readFile, statfs } from "node:fs/promises";
import { cpus, freemem, totalmem } from "node:os";
import { setTimeout as pause } from "node:timers/promises";

const CPU_SPAN_MS = 500;

/** How busy the processors of this machine are, in percent of all of them, over half a second. */
export async function cpuUsage(): Promise<number> {
  const before = processorTimes();
  await pause(CPU_SPAN_MS);
  const after = processorTimes();
  const total = after.total - before.total;
  return total <= 0 ? 0 : percent((total - (after.idle - before.idle)) / total);
}

function processorTimes(): { total: number; idle: number } {
  const all = cpus().map(({ times }) => times);
  const idle = all.reduce((sum, times) => sum + times.idle, 0);
  const total = all.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
  return { total, idle };
}

/** How much of this machine's memory is taken, in percent; what the kernel only keeps as a cache counts as free. */
export async function memoryUsage(): Promise<number> {
  const text = await readFile("/proc/meminfo", "latin1").catch(() => "");
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1];
  const free = available === undefined ? freemem() : Number(available) * 1024;
  return percent(1 - free / totalmem());
}

/** How full the file system of a folder is for this user, in percent, as df(1) has it. */
export async function diskUsage(folder: string): Promise<number> {
  const { blocks, bfree, bavail } = await statfs(folder);
  const used = blocks - bfree;
  return used + bavail === 0 ? 0 : percent(used / (used + bavail));
}

const percent = (part: number): number => Math.round(Math.min(1, Math.max(0, part)) * 1000) / 10;
