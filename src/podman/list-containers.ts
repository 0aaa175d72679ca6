import { runPodman } from "./podman.js";

/** The label of a sandbox that is kept: the id of its snapshot. */
export const SNAPSHOT_LABEL = "kai.snapshot";

/** A container as podman knows it. */
export interface ListedContainer {
  id: string;
  name: string;
  labels: Readonly<Record<string, string>>;
  state: "created" | "running" | "paused" | "stopping" | "exited" | "other";
  /** Of its first process; 0 where it does not run. */
  pid: number;
  exitCode: number;
  networks: readonly string[];
}

/** All containers that have `label`, which is a name or `name=value`, in whatever state, by one call of podman. */
export async function listContainers(label: string, env: NodeJS.ProcessEnv): Promise<ListedContainer[]> {
  const args = ["ps", "--all", "--no-trunc", "--filter", `label=${label}`, "--format", "json"];
  const result = await runPodman(args, { env });
  return result.exitCode === 0 ? parseContainers(result.stdout.toString()) : [];
}

interface ContainerDocument {
  Id: string;
  Names: string[];
  Labels: Record<string, string> | null;
  State: string;
  Pid: number;
  ExitCode: number;
  Networks: string[] | null;
}

const STATES = ["created", "running", "paused", "stopping", "exited"] as const;

export const parseContainers = (json: string): ListedContainer[] =>
  (JSON.parse(json || "[]") as ContainerDocument[]).map(({ Id, Names, Labels, State, Pid, ExitCode, Networks }) => ({
    id: Id,
    name: Names[0] ?? Id,
    labels: Labels ?? {},
    state: STATES.find((each) => each === State) ?? "other",
    pid: Pid,
    exitCode: ExitCode,
    networks: Networks ?? [],
  }));
