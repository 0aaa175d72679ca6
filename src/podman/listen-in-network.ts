import { type ChildProcess, spawn } from "node:child_process";
import { type FileHandle, open } from "node:fs/promises";
import type { Server } from "node:net";
import { KaiError } from "../error.js";
import { reasonOf } from "../system/reason-of.js";

export interface NetworkRequest {
  /** A process of the container, in its network namespace. */
  pid: number;
  /** Whether the container belongs to a user namespace that has to be entered first. */
  rootless: boolean;
  /** Tried first; where it is taken inside, any free one. */
  port: number;
  env: NodeJS.ProcessEnv;
  signal?: AbortSignal | undefined;
}

export interface ListenerInside {
  /** Listens in the container, is served here. */
  server: Server;
  port: number;
}

const PATIENCE_MS = 20_000;
const KEPT_STDERR = 4096;
/** Where the child finds its channel to us, and the namespaces. */
const [NETWORK_FD, USER_FD] = [4, 5];

/**
 * Listens on 127.0.0.1 inside a container's network namespace and hands the listening socket to this process. What enters
 * is Node from this host with the script below, in the network namespace (rootless: and the user namespace that owns it)
 * and no other one; it is gone when this returns. Throws E103 where that cannot be done, or where the namespace has more
 * than a loopback.
 */
export async function listenInNetwork(request: NetworkRequest): Promise<ListenerInside> {
  request.signal?.throwIfAborted();
  const network = await openNamespace(request.pid, "net");
  const user = request.rootless ? await openNamespace(request.pid, "user") : undefined;
  try {
    await refuseOwnNetwork(network);
    return await handOut(request, network, user);
  } finally {
    await network.close();
    await user?.close();
  }
}

/** Runs in the container's network, so it is told what to do by its arguments and answers over its channel only. */
const SCRIPT = `
const port = Number(process.argv[1]);
const outside = Object.entries(require("node:os").networkInterfaces())
  .filter(([, addresses]) => addresses.some((each) => !each.internal)).map(([name]) => name);
const end = (answer, handle) => process.send(answer, handle, () => process.exit());
const listen = (port, otherwise) => {
  const server = require("node:net").createServer();
  server.on("error", otherwise);
  server.listen({ host: "127.0.0.1", port, backlog: 128 }, () => end({ port: server.address().port }, server));
};
if (outside.length > 0) end({ outside });
else listen(port, () => listen(0, (error) => end({ error: error.message })));
`;

interface Answer {
  port?: number;
  outside?: string[];
  error?: string;
}

/** Held open, so that a later process of the same number is never entered instead. */
async function openNamespace(pid: number, kind: "net" | "user"): Promise<FileHandle> {
  try {
    return await open(`/proc/${pid}/ns/${kind}`, "r");
  } catch (cause) {
    throw refused((cause as NodeJS.ErrnoException).code === "ENOENT" ? "it has ended" : reasonOf(cause), cause);
  }
}

/** A proxy that listens in the host's own network would be open to everybody on this machine. */
async function refuseOwnNetwork(network: FileHandle): Promise<void> {
  const own = await openNamespace(process.pid, "net");
  try {
    const [here, there] = await Promise.all([own.stat(), network.stat()]);
    if (here.ino === there.ino && here.dev === there.dev) throw refused("it has no network namespace of its own");
  } finally {
    await own.close();
  }
}

async function handOut(
  { port, env, signal }: NetworkRequest,
  network: FileHandle,
  user: FileHandle | undefined,
): Promise<ListenerInside> {
  const child = spawn(
    "nsenter",
    [
      ...(user ? [`--user=/proc/self/fd/${USER_FD}`, "--preserve-credentials"] : []),
      ...[`--net=/proc/self/fd/${NETWORK_FD}`, "--", process.execPath, "--eval", SCRIPT, String(port)],
    ],
    {
      stdio: ["ignore", "ignore", "pipe", "ipc", network.fd, ...(user ? [user.fd] : [])],
      env: { PATH: env["PATH"] },
      cwd: "/",
      timeout: PATIENCE_MS,
      killSignal: "SIGKILL",
      ...(signal && { signal }),
    },
  );
  const [answer, server] = await answerOf(child, signal);
  if (server && answer.port !== undefined) return { server, port: answer.port };
  if (answer.outside) throw refused(`it has more than a loopback (${answer.outside.join(", ")})`);
  throw refused(answer.error ?? "it handed nothing out");
}

/** What the child said, once it is gone. */
function answerOf(child: ChildProcess, signal: AbortSignal | undefined): Promise<[Answer, Server | undefined]> {
  return new Promise((resolve, reject) => {
    let stderr = "";
    let answer: [Answer, Server | undefined] | undefined;
    child.stderr?.on("data", (chunk: Buffer) => {
      stderr = `${stderr}${chunk.toString()}`.slice(0, KEPT_STDERR);
    });
    child.on("message", (message, handle) => {
      answer = [message as Answer, handle as Server | undefined];
    });
    child.once("error", (cause: NodeJS.ErrnoException) => {
      if (signal?.aborted) return;
      reject(
        cause.code === "ENOENT"
          ? new KaiError("E117", "The program nsenter was not found.", {
              hint: "`apt-get install -y util-linux`",
              cause,
            })
          : refused(cause.message, cause),
      );
    });
    child.once("close", (code, killedBy) => {
      if (signal?.aborted) {
        answer?.[1]?.close();
        reject(signal.reason);
      } else if (answer) resolve(answer);
      else reject(refused(stderr.trim().split("\n").at(-1) || `nsenter ended with ${killedBy ?? code}`));
    });
  });
}

const refused = (reason: string, cause?: unknown): KaiError =>
  new KaiError("E103", `The sandbox's network could not be entered: ${reason}.`, {
    hint: "Try again; `git kai-version doctor` shows what this machine can isolate.",
    cause,
  });
