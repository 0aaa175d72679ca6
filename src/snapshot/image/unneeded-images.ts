import type { BuiltImage } from "../../podman/built-images.js";
import type { SnapshotRecord } from "../snapshot-record.js";
import { imageName } from "./image-name.js";

/** Of a commit that is no version, or of the saved files of a snapshot: versions are never called so. */
const OF_THE_MOMENT = /:(?:[0-9a-f]{10}|.*__[0-9a-hjkmnp-tv-z]{26})$/;

type Standing = Pick<SnapshotRecord, "version" | "base" | "image">;

/**
 * Of images that were built from versions those that are to go, by name or, where they have none, by id: those that lost their name
 * to a newer one, and of this agent those of commits and of saved files, which no snapshot that stays is of. None that a container
 * stands on, but for those that go before.
 */
export function unneededImages(
  images: readonly BuiltImage[],
  agent: string,
  { staying, going }: { readonly staying: readonly Standing[]; readonly going: readonly Standing[] },
): string[] {
  const needed = new Set(staying.map(({ version, base }) => imageName(agent, version, base)));
  const own = imageName(agent, "", null);
  return images.flatMap(({ id, names, containers }) => {
    const free = containers <= going.filter(({ image }) => image === id).length;
    if (names.length === 0) return free ? [id] : [];
    const left = names.filter((name) => name.startsWith(own) && OF_THE_MOMENT.test(name) && !needed.has(name));
    // The last name goes with the image only.
    return free || left.length < names.length ? left : [];
  });
}
