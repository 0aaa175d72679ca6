/** Bytes that the probe's container may have; its memory bomb wants several times as much. */
export const PROBE_MEMORY = 48 * 1024 * 1024;
export const PROBE_PIDS = 24;
export const PROBE_CPUS = 0.5;

/**
 * Runs inside the first container on a machine and prints `key=value` lines. Each limit is hit, because a flag that reads
 * back well may do nothing; what leaves no room for more processes comes last. On a machine that is busy, one burst of
 * work may get too little of the processors to be held back, so it is repeated until it was.
 */
export const PROBE_SCRIPT = `
grep -E '^(Seccomp|NoNewPrivs|CapBnd):' /proc/self/status | sed 's/:[[:space:]]*/=/'
touch /app/written && echo overlay=writable
echo "links=$(sed -n 's/^ *\\([^ :]*\\):.*/\\1/p' /proc/net/dev | tr '\\n' ' ')"
throttled() { cat /sys/fs/cgroup/cpu.stat /sys/fs/cgroup/cpu/cpu.stat /sys/fs/cgroup/cpu,cpuacct/cpu.stat 2>/dev/null | sed -n 's/^nr_throttled //p' | head -n 1; }
burn() { n=0; while [ $n -lt 40000 ]; do n=$((n+1)); done; }
uptime() { cut -d ' ' -f 1 /proc/uptime; }
start=$(uptime)
for try in 1 2 3 4; do
burn & burn & burn & burn & wait
times > /app/times
echo "burst=$start $(uptime) $(tail -n 1 /app/times)"
t=$(throttled); [ "\${t:-0}" -gt 0 ] && break
done
echo "throttled=$t"
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

/** More processors than were allowed, by more than what a first period may have beyond its share. */
const BEYOND = 1.3;

/**
 * Whether the limit held the bursts of work back; false where they had more than it allows, and undefined where the
 * machine gave them too little to tell.
 */
export function judgeCpu(facts: ReadonlyMap<string, string>): boolean | undefined {
  if (Number(facts.get("throttled") || 0) > 0) return true;
  // `start end user system`: seconds of uptime, and of all children as the shell's `times` writes them, `0m0.12s`.
  const [start, end, user, system] = (facts.get("burst") ?? "").split(" ").map(secondsOf);
  if (start === undefined || end === undefined || user === undefined || system === undefined) return undefined;
  return (user + system) / Math.max(end - start, 0.01) > PROBE_CPUS * BEYOND ? false : undefined;
}

function secondsOf(text: string): number {
  const [, minutes = "0", seconds] = /^(?:(\d+)m)?(\d+(?:\.\d+)?)s?$/.exec(text) ?? [];
  return Number(minutes) * 60 + Number(seconds);
}
