import type { Namespace } from "./plan-container.js";

/**
 * Where the ids of root's user namespaces begin on the host: in a range that systemd leaves to nobody (systemd.io,
 * "Users, Groups, UIDs and GIDs"), below 2^31, as some programs take ids for signed.
 */
const FIRST = 0x7000_0000;
const USUAL = 0x1_0000;

export interface IdRange {
  /** What id 0 inside is outside. */
  first: number;
  count: number;
}

/** A single range, since Podman copies an image for a mapping of several. It holds `user`. */
export const mappedRange = ({ uid, gid }: { uid: number; gid: number }): IdRange => ({
  first: FIRST,
  count: Math.max(USUAL, uid + 1, gid + 1),
});

/** Who root in a sandbox is on this host, for the files that are to be root's inside. */
export const rootOutside = (namespaces: readonly Namespace[] = []): { uid: number; gid: number } =>
  ownerOutside({ uid: 0, gid: 0 }, namespaces);

/** Who a sandbox's user is on this host; by `namespaces`, as in its plan, where it has a user namespace. */
export function ownerOutside(
  user: { uid: number; gid: number },
  namespaces: readonly Namespace[] = [],
): { uid: number; gid: number } {
  const uid = process.getuid?.() ?? 0;
  if (uid !== 0) return { uid, gid: process.getgid?.() ?? uid };
  if (!namespaces.includes("user")) return user;
  const { first } = mappedRange(user);
  return { uid: first + user.uid, gid: first + user.gid };
}
