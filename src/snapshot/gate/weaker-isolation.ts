import type { RunIsolation } from "../runs/run-isolation.js";

const PROCESSES: readonly string[] = ["none", "container", "vm"];

/**
 * Why a run proves less than one that is isolated as its version asks: it could reach, do or use more, or had something that no
 * kai.yaml gives. Null where it was isolated as much or more. One among the host's processes proves nothing, whoever asked for it.
 */
export function whyWeaker(ran: RunIsolation, asked: RunIsolation): string | null {
  if (PROCESSES.indexOf(ran.process) < Math.max(1, PROCESSES.indexOf(asked.process))) {
    return `its process isolation was ${ran.process}`;
  }
  const missing = without(asked.namespaces, ran.namespaces);
  if (missing.length > 0) return `it shared the host's namespaces ${missing.join(", ")}`;
  const network = whyReachesMore(ran.network, asked.network);
  if (network !== null) return network;
  const capabilities = without(ran.capabilities, asked.capabilities);
  if (capabilities.length > 0) return `it had the capabilities ${capabilities.join(", ")}`;
  if (asked.readOnlyRoot && !ran.readOnlyRoot) return "its root file system could be written";
  return whyMayMore(ran, asked) ?? whyGivenMore(ran, asked);
}

function whyMayMore(ran: RunIsolation, asked: RunIsolation): string | null {
  if (asked.seccomp && !ran.seccomp) return "its system calls were not filtered";
  if (asked.noNewPrivileges && !ran.noNewPrivileges) return "its processes could gain privileges";
  if (asked.user.uid !== 0 && ran.user.uid === 0) return "it ran as root";
  return asked.user.gid !== 0 && ran.user.gid === 0 ? "it ran in root's group" : null;
}

/** Hosts through the proxy are a part of the internet, and none at all are a part of everything. */
function whyReachesMore(ran: RunIsolation["network"], asked: RunIsolation["network"]): string | null {
  if (ran.mode === "none") return null;
  if (ran.mode === "isolated") {
    const hosts = asked.allowInternet ? [] : without(ran.allowedHosts, asked.allowedHosts);
    return hosts.length === 0 ? null : `it could reach ${hosts.join(", ")}`;
  }
  if (asked.mode !== ran.mode) return `its network mode was ${ran.mode}`;
  return ran.allowInternet && !asked.allowInternet ? "it could reach the internet" : null;
}

function whyGivenMore(ran: RunIsolation, asked: RunIsolation): string | null {
  for (const [limit, name] of LIMITS) {
    if (!(ran.limits[limit] <= asked.limits[limit])) return `its limit of ${name} was higher`;
  }
  if (!isFewerGpus(ran.limits.gpus, asked.limits.gpus)) return "it had more GPUs";
  if (ran.env.length > 0) return `it was given the variables ${ran.env.join(", ")}`;
  const secrets = without(ran.secrets, asked.secrets);
  if (secrets.length > 0) return `it was given the secrets ${secrets.join(", ")}`;
  return ran.askedImage === null ? null : `it ran in the image ${ran.askedImage}, which its caller chose`;
}

const LIMITS = [
  ["memoryBytes", "memory"],
  ["cpus", "processors"],
  ["storageBytes", "storage"],
  ["pids", "processes"],
  ["bandwidth", "bandwidth"],
  ["timeoutMs", "time"],
] as const;

const isFewerGpus = (ran: string | null, asked: string | null): boolean =>
  ran === null || asked === "all" || (ran !== "all" && Number(ran) <= Number(asked ?? 0));

const without = (all: readonly string[], known: readonly string[]): string[] =>
  all.filter((each) => !known.includes(each));
