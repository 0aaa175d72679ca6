/** Bytes that the probe's container may have; its memory bomb wants several times as much. */
export const PROBE_MEMORY = 48 * 1024 * 1024;
export const PROBE_PIDS = 24;
export const PROBE_CPUS = 0.5;

/**
 * Runs inside the first container on a machine and prints `key=value` lines. Each limit is hit, because a flag that reads
 * back well may do nothing; what leaves no room for more processes comes last.
 */
export const PROBE_SCRIPT = `
grep -E '^(Seccomp|NoNewPrivs|CapBnd):' /proc/self/status | sed 's/:[[:space:]]*/=/'
touch /app/written && echo overlay=writable
echo "links=$(sed -n 's/^ *\\([^ :]*\\):.*/\\1/p' /proc/net/dev | tr '\\n' ' ')"
i=0; while [ $i -lt 150000 ]; do i=$((i+1)); done
echo "throttled=$(cat /sys/fs/cgroup/cpu.stat /sys/fs/cgroup/cpu/cpu.stat /sys/fs/cgroup/cpu,cpuacct/cpu.stat 2>/dev/null | sed -n 's/^nr_throttled //p' | head -n 1)"
echo "hoard=$(head -c 200000000 /dev/zero | tail -c 200000000 | wc -c)"
(i=0; while [ $i -lt 60 ]; do sleep 9 & i=$((i+1)); done; echo pids=unbound) 2>/dev/null || echo pids=bound
`;

/** What the container printed. */
export function parseProbe(stdout: string): Map<string, string> {
  const facts = new Map<string, string>();
  for (const line of stdout.split("\n")) {
    const equals = line.indexOf("=");
    if (equals > 0) facts.set(line.slice(0, equals), line.slice(equals + 1).trim());
  }
  return facts;
}
