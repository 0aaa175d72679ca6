/** What gives this machine a bridge, by the words of what refused one. */
export const bridgeRemedy = (words: string): string =>
  `${remedyOf(words)}; network mode none and isolated need no bridge.`;

function remedyOf(words: string): string {
  // An ordinary user's bridge is reached through a device of the kernel's, which no package brings.
  if (!words.includes("/dev/net/tun")) return "Run `sudo apt-get install -y netavark aardvark-dns iptables`";
  return /permission denied|not permitted/i.test(words)
    ? "As root: `chmod 666 /dev/net/tun`, as udev has it, so that this user may open it"
    : "As root: `modprobe tun`; in a container, have it given /dev/net/tun";
}
