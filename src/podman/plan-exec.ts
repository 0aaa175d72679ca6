import { EXEC_MARK } from "./end-exec.js";
import { environmentArguments } from "./plan-container.js";
import type { RunningContainer } from "./start-container.js";

export interface ExecRequest {
  /** Of the execution: letters, digits and `-`. Marks its processes. */
  id: string;
  command: readonly [string, ...string[]];
  /** Default: /app. */
  workdir?: string | undefined;
  /** Default: the container's. */
  user?: { uid: number; gid: number } | undefined;
  env?: Readonly<Record<string, string>> | undefined;
  /** What a shell does in front of the command, where there is one: commands, each with its semicolon. */
  first?: string | undefined;
  /** As in a container's plan. */
  secrets?: Readonly<Record<string, string>> | undefined;
}

/** The arguments of `podman` that execute `request`, with `more` options. */
export function planExec(
  container: Pick<RunningContainer, "name">,
  request: ExecRequest,
  more: readonly string[],
): string[] {
  const { user } = request;
  return [
    ...["exec", ...more],
    ...(request.workdir === undefined ? [] : ["--workdir", request.workdir]),
    ...(user === undefined ? [] : ["--user", `${user.uid}:${user.gid}`]),
    ...environmentArguments({ ...request.env, [EXEC_MARK]: request.id }, request.secrets),
    container.name,
    ...request.command,
  ];
}
