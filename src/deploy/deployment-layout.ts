/** The names of our own files in a deployment: with `.kai-` in front where the version has a file or folder of that name. */
export function ownFiles(names: ReadonlySet<string>): { readonly meta: string; readonly manifest: string } {
  const free = (name: string) => (names.has(name) ? `.kai-${name}` : name);
  return { meta: free("snapshot_meta.json"), manifest: free("manifest.json") };
}
