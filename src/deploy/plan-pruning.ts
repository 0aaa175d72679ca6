/** A version's folder among the deployments. */
export interface DeployedFolder {
  readonly version: string;
  /** When it was last deployed. */
  readonly at: Date;
}

/** The versions whose folders go: all but the `keep` that were deployed last, and those that are needed whatever their age. */
export function planPruning(
  folders: readonly DeployedFolder[],
  keep: number,
  needed: ReadonlySet<string>,
): readonly string[] {
  const others = folders.filter(({ version }) => !needed.has(version)).sort((a, b) => b.at.getTime() - a.at.getTime());
  return others.slice(Math.max(0, keep - needed.size)).map(({ version }) => version);
}
