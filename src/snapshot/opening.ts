/** One thing in which a kai.yaml makes a sandbox weaker than it is without: `security.seccomp`, `false`. */
export interface Opening {
  /** Below `snapshot_isolation`. */
  readonly key: string;
  readonly value: string;
}

/** For people: `security.seccomp: false, security.capabilities: SYS_ADMIN KILL`. */
export function formatOpenings(openings: readonly Opening[]): string {
  const values = new Map<string, string[]>();
  // The name of a folder, or of a scenario, may hold a line end.
  const shown = (text: string) => (/\p{Cc}/u.test(text) ? JSON.stringify(text) : text);
  for (const { key, value } of openings) values.set(shown(key), [...(values.get(shown(key)) ?? []), shown(value)]);
  return [...values].map(([key, all]) => `${key}: ${all.join(" ")}`).join(", ");
}
