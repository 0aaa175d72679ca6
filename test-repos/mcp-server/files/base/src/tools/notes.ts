import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

export async function searchNotes(folder: string, text: string, limit: number): Promise<string[]> {
  const found: string[] = [];
  for (const name of (await readdir(folder)).sort()) {
    if (!name.endsWith(".md")) continue;
    const body = await readFile(path.join(folder, name), "utf8");
    if (body.toLowerCase().includes(text.toLowerCase())) found.push(name);
    if (found.length === limit) break;
  }
  return found;
}

export async function readNote(folder: string, name: string): Promise<string> {
  if (path.basename(name) !== name) throw new Error("A note is named without a folder.");
  return readFile(path.join(folder, name), "utf8");
}
