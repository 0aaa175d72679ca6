import { open } from "node:fs/promises";

const TUN = "/dev/net/tun";

/** What gives this machine a bridge, by the words of what refused one. */
export const bridgeRemedy = (words: string): string =>
  `${remedyOf(words)}; network mode none and isolated need no bridge.`;

/** Whether they are about the device that an ordinary user's bridge is reached through. */
export const isTun = (words: string): boolean => words.includes(TUN);

/** Why this user cannot open that device, in the kernel's words; undefined where they can. */
export async function whyTunIsClosed(): Promise<string | undefined> {
  try {
    await (await open(TUN, "r+")).close();
    return undefined;
  } catch (cause) {
    return (cause as Error).message;
  }
}

function remedyOf(words: string): string {
  // An ordinary user's bridge is reached through a device of the kernel's, which no package brings.
  if (!isTun(words)) return "Run `sudo apt-get install -y netavark aardvark-dns iptables`";
  return /permission denied|not permitted/i.test(words)
    ? "As root: `chmod 666 /dev/net/tun`, as udev has it, so that this user may open it"
    : "As root: `modprobe tun`; in a container, have it given /dev/net/tun";
}
