import { KaiError } from "../error.js";
import { hostTool } from "./host-tool.js";
import type { RunningContainer } from "./start-container.js";

/** Podman's name of the link inside; netavark and CNI both give it. */
const LINK = "eth0";
/** A token bucket's depth: what passes in 20 ms, and at least a large segment. */
const BURST_S = 0.02;
const SMALLEST_BURST = 65_536;
const QUEUE = "50ms";

/**
 * Limits what a container on a bridge sends and receives, each to `bitsPerSecond`, by a token bucket at either end of its
 * link: only who may manage the network of the container can take them away again. Gives why it could not be done, and
 * undefined where it was.
 */
export async function limitBandwidth(
  container: RunningContainer,
  bitsPerSecond: number,
  rootless: boolean,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const pid = container.process.split(":")[1] ?? "";
  // Rootless, the link and what it leads to are in namespaces that podman keeps for the user.
  const inside = (command: Command): Command => {
    const entered: Command = ["nsenter", "--target", pid, "--net", "--", ...command];
    return rootless ? ["podman", "--remote=false", "unshare", ...entered] : entered;
  };
  const outside = (command: Command): Command =>
    rootless ? ["podman", "--remote=false", "unshare", "--rootless-netns", ...command] : command;
  try {
    await hostTool(inside(bucket(LINK, bitsPerSecond)), env);
    const links = JSON.parse(await hostTool(inside(["ip", "-json", "link", "show", LINK]), env)) as Link[];
    const peers = JSON.parse(await hostTool(outside(["ip", "-json", "link"]), env)) as Link[];
    const peer = peers.find(({ ifindex }) => ifindex === links[0]?.link_index);
    if (peer === undefined) return "the other end of the sandbox's link is not to be seen";
    await hostTool(outside(bucket(peer.ifname, bitsPerSecond)), env);
    return undefined;
  } catch (cause) {
    if (cause instanceof KaiError) return cause.message;
    throw cause;
  }
}

type Command = readonly [string, ...string[]];

/** As `ip -json link` writes it. */
interface Link {
  ifindex: number;
  ifname: string;
  link_index?: number;
}

function bucket(link: string, bitsPerSecond: number): Command {
  const burst = Math.max(SMALLEST_BURST, Math.ceil((bitsPerSecond / 8) * BURST_S));
  const limits = ["rate", `${bitsPerSecond}bit`, "burst", `${burst}b`, "latency", QUEUE];
  return ["tc", "qdisc", "replace", "dev", link, "root", "tbf", ...limits];
}
