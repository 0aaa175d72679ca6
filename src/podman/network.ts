import { randomInt } from "node:crypto";
import { KaiError } from "../error.js";
import { runPodman } from "./podman.js";

export interface NetworkRequest {
  /** Of the network: that of its container does. */
  name: string;
  labels: Readonly<Record<string, string>>;
  /** Whether the outside can be reached through this host. */
  internet: boolean;
  /** IPv4, `10.89.0.0/24` say; null: one that is free. */
  subnet: string | null;
}

const ATTEMPTS = 8;
const IN_USE = /already (?:used|being used)/;

/**
 * Makes a bridge of a sandbox's own, on which nobody is but it and this host: what listens on all addresses of the host can
 * be reached from inside, as can the sandbox from the host. No names are resolved unless the outside can be reached. Throws
 * E103 with podman's words, also where the subnet is taken.
 */
export async function createNetwork(request: NetworkRequest, env: NodeJS.ProcessEnv): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const subnet = request.subnet ?? anySubnet();
    const { exitCode, stderr } = await runPodman(planNetwork(request, subnet), { env });
    if (exitCode === 0) return;
    const words = stderr
      .toString()
      .trim()
      .replace(/^Error: /, "");
    if (request.subnet === null && IN_USE.test(words) && attempt < ATTEMPTS) continue;
    throw new KaiError("E103", `The sandbox's network could not be made: ${words}`, {
      hint: IN_USE.test(words)
        ? "Set snapshot_isolation.network.subnet to one that is free, or to null."
        : "`git kai-version doctor` shows what this machine lacks; network mode none or isolated needs no bridge.",
    });
  }
}

/** Without the outside there is no route but to the bridge's own address, which podman gives it only when told. */
export function planNetwork({ name, labels, internet }: NetworkRequest, subnet: string): string[] {
  return [
    ...["network", "create", "--disable-dns", "--subnet", subnet],
    ...(internet ? [] : ["--internal", "--gateway", firstAddress(subnet)]),
    ...Object.entries(labels).flatMap(([key, value]) => ["--label", `${key}=${value}`]),
    name,
  ];
}

/** No error where there is none. */
export async function removeNetwork(name: string, env: NodeJS.ProcessEnv): Promise<void> {
  await runPodman(["network", "rm", "--force", "--time", "0", name], { env });
}

/** In the upper half of 10.0.0.0/8, away from where podman and others begin. */
const anySubnet = (): string => `10.${randomInt(128, 256)}.${randomInt(256)}.0/24`;

function firstAddress(subnet: string): string {
  const [address = "", length = "32"] = subnet.split("/");
  const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(length));
  const first = number - (number % size) + 1;
  return [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join(".");
}
