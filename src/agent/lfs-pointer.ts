const LARGEST_POINTER = 1024;
const VERSION = "https://git-lfs.github.com/spec/v1";

export interface LfsPointer {
  /** `sha256:` and 64 hexadecimal digits. */
  readonly oid: string;
  /** Bytes of the file that it stands for. */
  readonly size: number;
}

/**
 * The git LFS pointer that a blob holds, strictly by git-lfs' docs/spec.md: the version line first, other keys sorted,
 * one blank between key and value, LF at the end of each line, less than 1024 bytes. Undefined for any other blob.
 */
export function parseLfsPointer(bytes: Buffer): LfsPointer | undefined {
  if (bytes.length >= LARGEST_POINTER || !bytes.subarray(0, 8).equals(Buffer.from("version "))) return undefined;
  const text = bytes.toString("utf8");
  if (!text.endsWith("\n") || !Buffer.from(text).equals(bytes)) return undefined;
  const [version, ...lines] = text.slice(0, -1).split("\n");
  if (version !== `version ${VERSION}`) return undefined;

  const values = new Map<string, string>();
  let before = "";
  for (const line of lines) {
    const match = /^([a-z0-9.-]+) ([^\r\n]+)$/.exec(line);
    const [, key, value] = match ?? [];
    if (key === undefined || value === undefined || key <= before) return undefined;
    before = key;
    values.set(key, value);
  }
  const oid = values.get("oid") ?? "";
  const size = values.get("size") ?? "";
  if (!/^sha256:[0-9a-f]{64}$/.test(oid) || !/^(?:0|[1-9]\d{0,15})$/.test(size)) return undefined;
  return Number.isSafeInteger(Number(size)) ? { oid, size: Number(size) } : undefined;
}
