const UNITS = ["KiB", "MiB", "GiB", "TiB"];

/** `240 B`, `1.4 MiB`. */
export function formatBytes(bytes: number): string {
  let [size, unit] = [bytes, "B"];
  for (const next of UNITS) {
    if (size < 1024) break;
    [size, unit] = [size / 1024, next];
  }
  return unit === "B" || size >= 100 ? `${Math.round(size)} ${unit}` : `${size.toFixed(1)} ${unit}`;
}
