import { isInEffect, isRefused } from "./effective-keys.js";
import { readAgentConfig } from "./parse-agent-config.js";

export interface ConfigSource {
  /** `snapshot_isolation.tests[0].run` */
  readonly key: string;
  readonly value: unknown;
  /** `default`, `kai.yaml:12` or `kai.yaml:12 (versioning_system form)` */
  readonly source: string;
  readonly inEffect: boolean;
  /** Every snapshot stops with E103 because of it. */
  readonly refused: boolean;
}

/** Every key with its effective value, where that comes from, and whether anything acts on it yet. Throws E106. */
export function configSources(text: string, file: string): ConfigSource[] {
  return readAgentConfig(text, file).values.map(({ key, pattern, value, from }) => ({
    key,
    value,
    source: from ? `${file}:${from.keyAt.line}${from.form ? ` (${from.form} form)` : ""}` : "default",
    inEffect: isInEffect({ key, pattern, value }),
    refused: isRefused({ key, value }),
  }));
}
