/**
 * Secrets for a shell that waits for them at its stdin, a line each: whatever is said of a container beforehand, Podman writes into its
 * database, where it stays in pages that nothing uses any more.
 */
export const secretLines = (secrets: Readonly<Record<string, string>>): string =>
  Object.values(secrets)
    .map((value) => `${value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n`)
    .join("");

/** What that shell does; a value keeps its line feeds, also at its end. */
export const takeSecrets = (secrets: Readonly<Record<string, string>>): string =>
  Object.keys(secrets)
    .map((name) => `IFS= read -r __kai_line; ${name}=$(printf '%b.' "$__kai_line"); export ${name}="\${${name}%.}"; `)
    .concat(Object.keys(secrets).length > 0 ? "unset __kai_line; " : "")
    .join("");
