import { createHash } from "node:crypto";
import type { SnapshotTest } from "../../agent/config.js";
import { canonicalJson } from "../../operation/canonical-json.js";

/** What tells a scenario from another one of its name. */
export const scenarioDigest = (scenario: SnapshotTest): string =>
  `sha256:${createHash("sha256").update(canonicalJson(scenario)).digest("hex")}`;
