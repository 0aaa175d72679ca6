import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";

/** A call that changed the disk, as `kill_points.py --record` writes it; paths absolute, as latin1 text. */
export type DiskCall = { readonly path: string } & (
  | { readonly do: "open"; create: boolean; exclusive: boolean; truncate: boolean; mode: number }
  | { readonly do: "write"; at: number | null; data: string }
  | { readonly do: "sync" | "unlink" | "rmdir" | "nothing" }
  | { readonly do: "truncate" | "extend"; length: number }
  | { readonly do: "rename" | "link"; from: string }
  | { readonly do: "symlink"; text: string }
  | { readonly do: "mkdir" | "chmod"; mode: number }
);

/** What a loss of power leaves of names that no sync of their folder made last. */
export type Names = "kept" | "ordered" | "dropped" | "some";
/** And of bytes that no sync of their file made last. */
export type Bytes = "kept" | "dropped" | "zeroed" | "some";

/** A file or link; the same object under each of its names. */
class Leaf {
  mode: number;
  readonly link: string | undefined;
  now: Buffer;
  /** What is on the disk for certain. */
  synced: Buffer;
  /** From, to: what was written since. */
  dirty: [number, number][] = [];
  modified: number | undefined;

  constructor(mode: number, content: Buffer, link?: string, modified?: number) {
    this.mode = mode;
    this.link = link;
    this.now = content;
    this.synced = content;
    this.modified = modified;
  }

  write(at: number, bytes: Buffer): void {
    const length = Math.max(this.now.length, at + bytes.length);
    const next = Buffer.alloc(length);
    this.now.copy(next);
    bytes.copy(next, at);
    this.#change(next, at, at + bytes.length);
  }

  resize(length: number): void {
    const next = Buffer.alloc(length);
    this.now.copy(next);
    this.#change(next, length, length);
  }

  #change(now: Buffer, from: number, to: number): void {
    this.now = now;
    this.dirty.push([from, to]);
    this.modified = undefined;
  }

  sync(): void {
    this.synced = this.now;
    this.dirty = [];
  }

  after(bytes: Exclude<Bytes, "some">): Buffer {
    if (this.dirty.length === 0 || bytes === "kept") return this.now;
    if (bytes === "dropped") return this.synced;
    const zeroed = Buffer.from(this.now);
    for (const [from, to] of this.dirty) zeroed.fill(0, Math.min(from, zeroed.length), Math.min(to, zeroed.length));
    return zeroed;
  }
}

class Folder {
  mode: number;
  readonly entries = new Map<string, Leaf | Folder>();

  constructor(mode: number) {
    this.mode = mode;
  }
}

/** A change of names, whole or not at all, as every journalling file system does it. */
interface NameChange {
  readonly call: number;
  /** The folders whose names it changes; a sync of either makes it last. */
  readonly touched: readonly Folder[];
  lasts: boolean;
  apply(): void;
}

/** A disk below one folder: what programs see, and what a loss of power would leave of it. */
export class DiskModel {
  readonly #root: string;
  readonly #top: Folder;
  readonly #start: Map<Folder, Map<string, Leaf | Folder>>;
  readonly #changes: NameChange[] = [];
  #calls = 0;
  #lastSync = 0;

  private constructor(root: string, top: Folder) {
    this.#root = root;
    this.#top = top;
    this.#start = new Map(foldersOf(top).map((folder) => [folder, new Map(folder.entries)]));
  }

  /** A disk that holds at `root` what is in the folder `source` now, all of which lasts. */
  static read(source: string, root: string): DiskModel {
    const inodes = new Map<number, Leaf>();
    const walk = (folder: string): Folder => {
      const read = new Folder(lstatSync(bytesOf(folder)).mode & 0o7777);
      for (const name of readdirSync(bytesOf(folder), "latin1")) {
        const file = `${folder}/${name}`;
        const stat = lstatSync(bytesOf(file));
        if (stat.isDirectory()) {
          read.entries.set(name, walk(file));
          continue;
        }
        const link = stat.isSymbolicLink() ? readlinkSync(bytesOf(file), "latin1") : undefined;
        const known = stat.nlink > 1 ? inodes.get(stat.ino) : undefined;
        const content = link === undefined && !known ? readFileSync(bytesOf(file)) : Buffer.alloc(0);
        const leaf = known ?? new Leaf(stat.mode & 0o7777, content, link, stat.mtimeMs / 1000);
        inodes.set(stat.ino, leaf);
        read.entries.set(name, leaf);
      }
      return read;
    };
    return new DiskModel(root, walk(source));
  }

  /** Does what a call did; one that failed there fails here. */
  take(call: DiskCall): void {
    const number = this.#calls++;
    const place = this.#place(call.path);
    if (place === undefined) return;
    const { folder, name } = place;
    const found = name === "" ? folder : folder.entries.get(name);
    if (call.do === "sync") this.#sync(found, number);
    if (call.do === "chmod" && found !== undefined) found.mode = call.mode;
    if (found instanceof Leaf) changeContent(found, call);
    if (name !== "") this.#changeName(call, number, folder, name, found);
  }

  #changeName(call: DiskCall, number: number, folder: Folder, name: string, found: Leaf | Folder | undefined): void {
    const set = (what: Leaf | Folder) => this.#change(number, [folder], () => folder.entries.set(name, what));
    const remove = () => this.#change(number, [folder], () => folder.entries.delete(name));
    if (call.do === "open" && call.create && found === undefined) set(new Leaf(call.mode, Buffer.alloc(0)));
    else if (call.do === "mkdir" && found === undefined) set(new Folder(call.mode));
    else if (call.do === "symlink" && found === undefined) set(new Leaf(0o777, Buffer.alloc(0), call.text));
    else if (call.do === "unlink" && found instanceof Leaf) remove();
    else if (call.do === "rmdir" && found instanceof Folder && found.entries.size === 0) remove();
    else if (call.do === "link" || call.do === "rename") {
      const from = this.#place(call.from);
      const moved = from?.folder.entries.get(from.name);
      if (from === undefined || moved === undefined) return;
      if (call.do === "link") {
        if (found === undefined) set(moved);
        return;
      }
      if (found === moved || (found instanceof Folder && found.entries.size > 0)) return;
      this.#change(number, [folder, from.folder], () => {
        from.folder.entries.delete(from.name);
        folder.entries.set(name, moved);
      });
    }
  }

  #change(call: number, touched: readonly Folder[], apply: () => void): void {
    apply();
    this.#changes.push({ call, touched, lasts: false, apply });
  }

  #sync(found: Leaf | Folder | undefined, call: number): void {
    this.#lastSync = call;
    if (found instanceof Leaf) found.sync();
    if (!(found instanceof Folder)) return;
    for (const change of this.#changes) if (change.touched.includes(found)) change.lasts = true;
  }

  /** Folder and name of a path; undefined where a folder on the way is missing, or it lies elsewhere. */
  #place(file: string): { folder: Folder; name: string } | undefined {
    if (file === this.#root) return { folder: this.#top, name: "" };
    if (!file.startsWith(`${this.#root}/`)) return undefined;
    const names = file.slice(this.#root.length + 1).split("/");
    const name = names.pop() ?? "";
    let folder = this.#top;
    for (const each of names) {
      const next = folder.entries.get(each);
      if (!(next instanceof Folder)) return undefined;
      folder = next;
    }
    return { folder, name };
  }

  /**
   * Rebuilds the folder as it is found when the power is back. `random` decides where only some of it is lost. Gives where
   * each file that was there at the start is now. The model is spent afterwards.
   */
  loseAndWrite(names: Names, bytes: Bytes, random: () => number): Map<string, string> {
    this.#loseNames(names, random);
    rmSync(this.#root, { recursive: true, force: true, maxRetries: 3 });
    const written = new Map<Leaf, string>();
    const choices = ["kept", "dropped", "zeroed"] as const;
    const write = (folder: Folder, at: string) => {
      mkdirSync(bytesOf(at));
      for (const [name, entry] of folder.entries) {
        const file = `${at}/${name}`;
        if (entry instanceof Folder) {
          write(entry, file);
          continue;
        }
        const first = written.get(entry);
        written.set(entry, first ?? file);
        if (first !== undefined) linkSync(bytesOf(first), bytesOf(file));
        else writeLeaf(entry, file, bytes === "some" ? (choices[Math.floor(random() * 3)] ?? "kept") : bytes);
      }
      chmodSync(bytesOf(at), folder.mode);
    };
    write(this.#top, this.#root);
    return new Map(
      [...this.#startFiles()].flatMap(([name, leaf]) => {
        const now = written.get(leaf);
        return now === undefined ? [] : [[name, now]];
      }),
    );
  }

  *#startFiles(folder: Folder = this.#top, above = ""): Generator<[string, Leaf]> {
    for (const [name, entry] of this.#start.get(folder) ?? []) {
      if (entry instanceof Leaf) yield [above + name, entry];
      else yield* this.#startFiles(entry, `${above}${name}/`);
    }
  }

  #loseNames(names: Names, random: () => number): void {
    this.#findLasting(names);
    for (const [folder, entries] of this.#start) restore(folder, entries);
    for (const folder of this.#changes.flatMap(({ touched }) => touched)) {
      if (!this.#start.has(folder)) folder.entries.clear();
    }
    const lost = new Set<Folder>();
    for (const { lasts, touched, apply } of this.#changes) {
      const keeps = lasts || names === "kept" || (names === "some" && random() < 0.5);
      if (lasts || (keeps && !touched.some((folder) => lost.has(folder)))) apply();
      else for (const folder of touched) lost.add(folder);
    }
  }

  /** What lasts, lasts with all that was done before to the same folders. */
  #findLasting(names: Names): void {
    const held = new Set<Folder>();
    for (const change of [...this.#changes].reverse()) {
      change.lasts ||= names === "ordered" && change.call <= this.#lastSync;
      change.lasts ||= change.touched.some((folder) => held.has(folder));
      if (change.lasts) for (const folder of change.touched) held.add(folder);
    }
  }
}

function changeContent(leaf: Leaf, call: DiskCall): void {
  if (call.do === "open" && call.truncate && !(call.create && call.exclusive)) leaf.resize(0);
  if (call.do === "write") leaf.write(call.at ?? leaf.now.length, Buffer.from(call.data, "base64"));
  if (call.do === "truncate") leaf.resize(call.length);
  if (call.do === "extend" && call.length > leaf.now.length) leaf.resize(call.length);
}

function writeLeaf(leaf: Leaf, file: string, bytes: Exclude<Bytes, "some">): void {
  if (leaf.link !== undefined) {
    symlinkSync(bytesOf(leaf.link), bytesOf(file));
    return;
  }
  writeFileSync(bytesOf(file), leaf.after(bytes));
  chmodSync(bytesOf(file), leaf.mode);
  if (leaf.modified !== undefined) utimesSync(bytesOf(file), leaf.modified, leaf.modified);
}

function restore(folder: Folder, entries: ReadonlyMap<string, Leaf | Folder>): void {
  folder.entries.clear();
  for (const [name, entry] of entries) folder.entries.set(name, entry);
}

function foldersOf(top: Folder): Folder[] {
  const found = [top];
  for (const entry of top.entries.values()) if (entry instanceof Folder) found.push(...foldersOf(entry));
  return found;
}

const bytesOf = (file: string): Buffer => Buffer.from(file, "latin1");
