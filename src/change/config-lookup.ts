import { keySegment } from "./config-path.js";
import type { ConfigNode, MapNode } from "./config-tree.js";

/** The node if it is a map. */
export const mapOf = (node: ConfigNode | undefined): MapNode | undefined => (node?.kind === "map" ? node : undefined);

/** What stands under a string key. */
export const entryOf = (map: MapNode | undefined, key: string): ConfigNode | undefined =>
  map?.entries.get(keySegment(key))?.value;

/** A scalar as text, e.g. `true` or `1.2.3`; undefined for null and for what is no scalar. */
export const textOf = (node: ConfigNode | undefined): string | undefined =>
  node?.kind === "scalar" && node.value !== null ? String(node.value) : undefined;
