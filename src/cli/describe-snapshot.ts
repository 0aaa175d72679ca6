import { formatBytes } from "../agent/format-bytes.js";
import { DISK_FAILED, type Execution, type ExecutionInSnapshot } from "../snapshot/execution.js";
import type { ListedSnapshot, SnapshotList } from "../snapshot/list-snapshots.js";
import { formatOpenings } from "../snapshot/opening.js";
import type { GoneSnapshot, KeptSave } from "../snapshot/saves.js";
import { formatDuration, formatTime } from "./format-time.js";
import type { Output } from "./output.js";
import { shortId } from "./short-id.js";
import { oneLine } from "./style.js";
import { formatTable } from "./table.js";

/** One snapshot, whole. */
export function describeSnapshot(snapshot: ListedSnapshot, { style }: Output): string {
  const { isolation, limits } = snapshot;
  const rows: [string, string][] = [
    ["version", snapshot.tag],
    ["status", `${paintStatus(snapshot, style)}${snapshot.reason === null ? "" : `: ${snapshot.reason}`}`],
    ["type", snapshot.base === null ? snapshot.type : `${snapshot.type} on ${snapshot.base}`],
    ["stands on", standsOn(isolation)],
    ["network", networkOf(isolation)],
    ["files", filesOf(snapshot)],
    ["processes", `${isolation.process}${isolation.level === null ? "" : `, level ${isolation.level}`}`],
    ["namespaces", isolation.namespaces.join(", ")],
    ["rights", rightsOf(isolation)],
    ["limits", limitsOf(limits)],
    ["made", formatTime(snapshot.createdAt)],
    ["until", formatTime(snapshot.expiresAt)],
  ];
  if (snapshot.saved !== null) rows.push(["saved", snapshot.saved.slice(0, 10)]);
  if (snapshot.committed !== null) rows.push(["committed", snapshot.committed.slice(0, 10)]);
  if (isolation.opened.length > 0) rows.push(["opened", style.yellow(formatOpenings(isolation.opened))]);
  if (isolation.unenforced.length > 0) rows.push(["not enforced", style.yellow(isolation.unenforced.join(", "))]);
  const width = Math.max(...rows.map(([name]) => name.length));
  return [style.bold(snapshot.id), ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)].join("\n");
}

function filesOf({ type, isolation: { filesystem } }: ListedSnapshot): string {
  if (type !== "full") return filesystem;
  return filesystem === "tmpfs" ? "a copy of its own, in memory" : "a copy of its own";
}

function networkOf({ network, allowedHosts, allowInternet }: ListedSnapshot["isolation"]): string {
  if (network === "isolated" && allowedHosts.length > 0) return `isolated, but for ${allowedHosts.join(", ")}`;
  return allowInternet ? `${network}, with the internet` : network;
}

function rightsOf({ security }: ListedSnapshot["isolation"]): string {
  const { user, capabilities, seccomp, noNewPrivileges, readOnlyRoot } = security;
  return [
    `user ${user.uid}:${user.gid}`,
    capabilities.length === 0 ? "no capabilities" : `capabilities ${capabilities.join(" ")}`,
    seccomp === false ? "any system call" : "system calls filtered",
    noNewPrivileges ? "no new privileges" : "new privileges",
    `${readOnlyRoot ? "read-only" : "writable"} root`,
  ].join(", ");
}

const standsOn = ({ image, imageBase }: ListedSnapshot["isolation"]): string =>
  imageBase === null ? "this machine's own programs" : `${image.slice(0, 12)} (${imageBase})`;

export function limitsOf({ cpus, memoryBytes, storageBytes, pids, timeoutMs, gpus }: ListedSnapshot["limits"]): string {
  return [
    `${cpus} ${cpus === 1 ? "processor" : "processors"}`,
    `${formatBytes(memoryBytes)} memory`,
    `${formatBytes(storageBytes)} disk`,
    `${pids} ${pids === 1 ? "process" : "processes"}`,
    `${formatDuration(timeoutMs)} a command`,
    ...(gpus === null ? [] : [`${gpus} ${gpus === "1" ? "GPU" : "GPUs"}`]),
  ].join(", ");
}

/** How a save that was removed is found again, as long as git keeps its commit. */
export const inReach = ({ id, commit }: Pick<KeptSave, "id" | "commit">): string =>
  `until git clears it away, \`git update-ref refs/kai/snapshots/${id} ${commit.slice(0, 10)}\` brings it back`;

/** A snapshot of which nothing is left but what was saved. */
export const describeGone = ({ id, tag, saved, savedAt }: GoneSnapshot, { style }: Output): string =>
  [
    style.bold(id),
    `  version  ${tag}`,
    "  status   gone",
    `  saved    ${saved.slice(0, 10)} (${formatTime(savedAt)})`,
    `\n\`git kai-version snapshot create refs/kai/snapshots/${id}\` begins with these files again; \`snapshot destroy ${id} --saves\` removes them.`,
  ].join("\n");

export function describeSnapshots({ snapshots, gone, damaged }: SnapshotList, output: Output): string {
  if (snapshots.length + gone.length === 0)
    return output.quiet || damaged.length > 0
      ? ""
      : "There is no snapshot: `git kai-version snapshot create VERSION` makes one.";
  const rows = snapshots.map((each) => [
    output.style.bold(shortId(each.id, output)),
    each.version,
    paintStatus(each, output.style),
    each.type,
    each.isolation.network,
    formatTime(each.expiresAt),
  ]);
  for (const { id, version, savedAt } of gone)
    rows.push([
      output.style.bold(shortId(id, output)),
      version,
      output.style.dim("gone"),
      "",
      "",
      `saved ${formatTime(savedAt)}`,
    ]);
  return formatTable(
    [
      { title: "ID" },
      { title: "VERSION" },
      { title: "STATUS" },
      { title: "TYPE", shrink: "cut" },
      { title: "NETWORK" },
      { title: "UNTIL" },
    ],
    rows,
    output.columns,
  );
}

function paintStatus({ status }: ListedSnapshot, style: Output["style"]): string {
  if (status === "error") return style.red(status);
  return status === "ready" || status === "running" ? style.green(status) : style.dim(status);
}

/** In one line, however many there are: it stands before every result. */
export function warnUnenforced(output: Output, unenforced: readonly string[]): void {
  if (unenforced.length > 0) output.warn(`Not enforced here: ${[...new Set(unenforced)].join(", ")}`);
}

/** What is said of a command that was killed because its snapshot ended. */
export const ENDED = {
  ttl: "It was ended with the snapshot, whose time (ttl) is over: `snapshot diff`, `save` and `commit` still reach its files.",
  ended: "It was ended with the snapshot, which was destroyed or does not run any more.",
};

/** The same of one in a snapshot that stays. */
export function describeExecutionInside(execution: ExecutionInSnapshot, output: Output): string {
  const { snapshotEnded } = execution;
  const lines = [describeExecution(execution, output), snapshotEnded && output.style.red(ENDED[snapshotEnded])];
  return lines.filter(Boolean).join("\n");
}

const MOST_REQUESTS = 20;

/** What was asked of the network and not given; of many the first. */
export function describeRequests(
  { requests, requestsDropped }: Pick<Execution, "requests" | "requestsDropped">,
  style: Output["style"],
): string[] {
  const failed = requests.filter(({ allowed, reason }) => !allowed || reason !== null);
  const lines = failed.slice(0, MOST_REQUESTS).map(({ host, port, method, allowed, reason }) => {
    const asked = [method, port === null ? host : `${host}:${port}`].filter((word) => word !== "").join(" ");
    const told = [style.yellow(allowed ? "failed" : "refused"), asked, reason ?? ""];
    return told.filter((word) => word !== "").join("  ");
  });
  const more = failed.length - lines.length;
  if (more > 0) lines.push(`and ${more} more like these: --json and the run's record have them`);
  if (requestsDropped > 0) lines.push(`${requestsDropped} more requests were not kept`);
  return lines;
}

/** What is to be said of an execution whose output was shown while it ran. */
export function describeExecution(execution: Execution, { style }: Output): string {
  const lines: string[] = [];
  if (execution.timedOut) lines.push(style.red("It was ended: out of time."));
  if (execution.oomKilled) lines.push(style.red("It ran out of memory."));
  if (execution.failures.includes(DISK_FAILED)) lines.push(style.red(DISK_FAILED));
  lines.push(...describeRequests(execution, style));
  const { artifactsDropped, outputDropped } = execution;
  if (outputDropped > 0)
    lines.push(
      `${formatBytes(outputDropped)} of its output are not in its record: \`snapshot logs ${execution.snapshot ?? execution.id}\` has them.`,
    );
  const [artifacts, refused] = [execution.artifacts ?? [], execution.refused ?? []];
  if (artifacts.length > 0) {
    lines.push(
      `${artifacts.length + artifactsDropped} changed: ${artifacts
        .slice(0, 5)
        .map(({ path }) => oneLine(path))
        .join(", ")}${artifacts.length > 5 ? ", …" : ""}`,
    );
  }
  const notKept = artifacts.flatMap(({ path, notKept: reason }) => (reason === undefined ? [] : [{ path, reason }]));
  for (const { path, reason } of notKept.slice(0, 5))
    lines.push(`${style.dim("not kept")} ${oneLine(path)}: ${reason}`);
  for (const { path, reason } of refused.slice(0, 5))
    lines.push(`${style.yellow("refused")}  ${oneLine(path)}: ${reason}`);
  lines.push(...committedLines(execution, style));
  return lines.join("\n");
}

/** Where what a run changed was committed, and what of it later runs on a host; empty where it was not. */
export const committedLines = ({ branch, executable }: Execution, style: Output["style"]): string[] =>
  branch === null
    ? []
    : [
        `${style.green("✓")} Committed to ${style.bold(branch)}`,
        ...executable.map(({ path, reason }) => `  ${style.yellow("runs")}     ${oneLine(path)}: ${reason}`),
      ];
