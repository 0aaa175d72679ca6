import { once } from "node:events";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import path from "node:path";
import { runPodman } from "../../../src/podman/podman.js";
import { probeHost } from "../../../src/podman/probe-host.js";
import { seccompProfile } from "../../../src/podman/seccomp-profile.js";
import { skeletonRoot } from "../../../src/podman/skeleton-root.js";
import { PROXY_LIMITS } from "../../../src/snapshot/egress/egress-proxy.js";
import type { EgressRequest } from "../../../src/snapshot/egress/request-log.js";
import { serveEgress } from "../../../src/snapshot/egress/serve-egress.js";
import { type Outside, outside, PUBLIC, portOf } from "./outside.js";

const USER = { uid: 1000, gid: 1000 };

/** A container that has nothing but a loopback and does nothing by itself. */
export interface IdleSandbox {
  pid: number;
  rootless: boolean;
  /** Runs a program of the host in it. */
  exec(
    command: readonly string[],
    env?: Record<string, string>,
  ): Promise<{ exitCode: number; stdout: string; stderr: string }>;
  remove(): Promise<void>;
}

let made = 0;

export interface Place {
  /** Where what the machine can do is kept, which takes some seconds to find out. */
  cacheDir: string;
  folder: string;
  env: NodeJS.ProcessEnv;
}

/** Starts one that keeps its things below `folder`. */
export async function idleSandbox({ cacheDir, folder, env }: Place): Promise<IdleSandbox> {
  const own = mkdtempSync(path.join(folder, "sandbox-"));
  const host = await probeHost({ env, cacheDir, tempDir: path.join(folder, "temp") });
  if (host.runtime === undefined) throw new Error(JSON.stringify(host.features));
  const root = await skeletonRoot(cacheDir, USER);
  const profile = path.join(own, "seccomp.json");
  writeFileSync(profile, JSON.stringify(seccompProfile()));
  const name = `kai-egress-${process.pid}-${++made}`;
  const podman = (...args: string[]) => runPodman(args, { env, cwd: own });
  const remove = async () => void (await podman("rm", "--force", "--time", "0", "--ignore", name));
  const started = await podman(
    ...["--runtime", host.runtime, "run", "--detach", "--name", name, "--log-driver", "none"],
    ...["--network", "none", "--no-hosts", "--http-proxy=false", "--cgroupns", "private"],
    ...(host.rootless ? [`--userns=keep-id:uid=${USER.uid},gid=${USER.gid}`] : []),
    ...["--user", `${USER.uid}:${USER.gid}`, "--cap-drop", "all", "--security-opt", "no-new-privileges"],
    ...["--security-opt", `seccomp=${profile}`, "--security-opt", "apparmor=unconfined"],
    ...[
      "--security-opt",
      "label=disable",
      "--read-only",
      "--read-only-tmpfs=false",
      "--tmpfs",
      "/tmp:mode=1777,notmpcopyup",
    ],
    ...["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=512:512"],
    ...root.mounts.flatMap(({ host: from, inside }) => ["--volume", `${from}:${inside}:ro`]),
    ...["--rootfs", `${root.path}:O`, "/bin/sleep", "infinity"],
  );
  if (started.exitCode !== 0) throw new Error(started.stderr.toString());
  const inspected = await podman("container", "inspect", "--format", "{{.State.Pid}}", name);
  return {
    pid: Number(inspected.stdout.toString()),
    rootless: host.rootless,
    async exec(command, given = {}) {
      const settings = Object.entries(given).flatMap(([key, value]) => ["--env", `${key}=${value}`]);
      const { exitCode = -1, stdout, stderr } = await podman("exec", ...settings, name, ...command);
      return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
    },
    remove,
  };
}

/** What the sandbox asks a tunnel to, and what it fetches: none of it may be reached but the answer that leads elsewhere. */
const TUNNELS = (
  "api.example.com:22 api.example.com:8443 evil.test:443 api.example.com.evil.test:443 private.example.com:443 " +
  "loopback.example.com:443 six.example.com:443 local.example.com:443 mapped.example.com:443 metadata.example.com:443 " +
  "mixed.example.com:443 127.0.0.1:443 [::1]:443 169.254.169.254:80 93.184.216.34:443 localhost:22 0x7f.1:80"
).split(" ");
const URLS = (
  "http://evil.test/ http://metadata.example.com/latest/meta-data/ http://127.0.0.2/ http://private.example.com/ " +
  "http://93.184.216.34/ http://api.example.com:8080/ http://api.example.com/redirect https://evil.test/"
).split(" ");

export interface Tried {
  /** What each try came to, as the agent saw it. */
  seen: Record<string, unknown>;
  requests: EgressRequest[];
  dropped: { allowed: number; refused: number };
  /** What the proxy connected to. */
  connected: string[];
  /** What the one server there is was asked for. */
  served: string[];
}

/** An agent in a sandbox fetches from the one host that is allowed and tries everything else. */
export async function tryEverything(place: Place): Promise<Tried> {
  const { folder, env } = place;
  const served: string[] = [];
  const web = createHttpServer((request, response) => {
    served.push(`${request.method} ${request.headers.host}${request.url}`);
    if (request.url === "/redirect") response.writeHead(302, { Location: "http://evil.test/" }).end();
    else response.end("the data");
  });
  // The tunnel's other end is no web server: it gives back what it gets.
  const echo = createServer({ allowHalfOpen: true }, (socket) => socket.on("error", () => {}).pipe(socket));
  const abstract = `kai-egress-${process.pid}`;
  const [byName, byFile] = [createServer(), createServer()];
  const socketFile = path.join(folder, "socket");
  const servers: Server[] = [
    web.listen(0, "127.0.0.1"),
    echo.listen(0, "127.0.0.1"),
    byName.listen(`\0${abstract}`),
    byFile.listen(socketFile),
  ];
  await Promise.all(servers.map((server) => once(server, "listening")));
  const world = outsideOf(web, echo);
  const sandbox = await idleSandbox(place);
  try {
    const egress = await serveEgress(
      {
        pid: sandbox.pid,
        rootless: sandbox.rootless,
        allowedHosts: ["*.example.com"],
        bandwidth: 100_000_000,
        env,
      },
      { network: world.network, limits: PROXY_LIMITS, now: () => new Date() },
    );
    const told = {
      ...{ public: PUBLIC, port: portOf(web), own: addressOfThisMachine(), abstract, socket: socketFile },
      ...{ tunnels: TUNNELS, urls: URLS, connections: PROXY_LIMITS.connections },
    };
    const script = readFileSync(path.join(import.meta.dirname, "attempts.py"), "utf8");
    const ran = await sandbox.exec(["/usr/bin/python3", "-c", script, JSON.stringify(told)], egress.environment);
    await egress.close();
    if (ran.exitCode !== 0) throw new Error(ran.stderr);
    const { connected } = world;
    return { seen: JSON.parse(ran.stdout), requests: egress.requests(), dropped: egress.dropped(), connected, served };
  } finally {
    await sandbox.remove();
    for (const server of servers) server.close();
  }
}

/** Everything below example.com is allowed, and most of it leads where nothing may. */
function outsideOf(web: Server, echo: Server): Outside {
  const world = outside(web, {
    "api.example.com": [PUBLIC],
    "private.example.com": ["10.1.2.3"],
    "loopback.example.com": ["127.0.0.1"],
    "six.example.com": ["::1"],
    "local.example.com": ["fd00::1"],
    "mapped.example.com": ["::ffff:10.0.0.1"],
    "metadata.example.com": ["169.254.169.254"],
    "mixed.example.com": [PUBLIC, "10.0.0.1"],
    "evil.test": [PUBLIC],
  });
  const toEcho = outside(echo, {}).network.connect;
  const { connect } = world.network;
  world.network.connect = (address, port) => {
    if (port !== 443) return connect(address, port);
    world.connected.push(`${address}:${port}`);
    return toEcho(address, port);
  };
  return world;
}

const addressOfThisMachine = (): string =>
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === "IPv4")?.address ?? "192.168.255.1";
