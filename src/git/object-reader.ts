import type { ChildProcess } from "node:child_process";
import { KaiError } from "../error.js";
import { spawnProgram } from "../system/process.js";
import type { ObjectType } from "./object.js";
import type { Repository } from "./repository.js";

export interface ReadObject {
  id: string;
  type: ObjectType;
  /** Bytes of all its content, however much of it was asked for. */
  size: number;
  content: Buffer;
}

interface Waiting {
  name: string;
  most: number;
  resolve: (object: ReadObject | undefined) => void;
  reject: (cause: unknown) => void;
}

export interface ReaderOptions {
  /** Takes an object for missing where git ends at its damage, and reads the others by another process. */
  readonly skipDamaged?: boolean;
}

/** What git says of an object whose bytes are not what they must be. */
const DAMAGED = /is corrupt|inflate:|unable to unpack|hash mismatch|disappeared/;

const KEPT_WORDS = 4096;

/** Objects by id or revision, all from one `git cat-file --batch` that lives until `close`. */
export class ObjectReader {
  readonly #repository: Repository;
  readonly #skipDamaged: boolean;
  #child: ChildProcess;
  #waiting: Waiting[] = [];
  #chunks: Buffer[] = [];
  #buffered = 0;
  #header: { id: string; type: ObjectType; size: number } | undefined;
  /** What was asked for of the object that is being read, and how much of it is still to come. */
  #begun: { content: Buffer; left: number } | undefined;
  #failure: KaiError | undefined;
  readonly #damaged = new Set<string>();

  constructor(repository: Repository, { skipDamaged = false }: ReaderOptions = {}) {
    this.#repository = repository;
    this.#skipDamaged = skipDamaged;
    this.#child = this.#start();
  }

  #start(): ChildProcess {
    const child = spawnProgram({
      file: "git",
      args: ["cat-file", "--batch"],
      cwd: this.#repository.workTree ?? this.#repository.gitDir,
      env: this.#repository.env,
    });
    let words = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(-KEPT_WORDS);
    });
    child.stdout?.on("data", (chunk: Buffer) => this.#take(chunk));
    child.stdin?.on("error", () => {});
    child.once("error", (cause) => this.#fail(new KaiError("E117", "git could not be started.", { cause })));
    child.once("close", () => {
      if (this.#skipDamaged && DAMAGED.test(words)) this.#goOn();
      else this.#fail(new KaiError("E116", "git cat-file ended before it answered."));
    });
    return child;
  }

  /** Behind the object that git ended at, which is the first that it had not answered for. */
  #goOn(): void {
    const [damaged, ...others] = this.#waiting;
    this.#waiting = [];
    this.#chunks = [];
    this.#buffered = 0;
    this.#header = undefined;
    this.#begun = undefined;
    this.#child = this.#start();
    if (damaged) this.#damaged.add(damaged.name);
    damaged?.resolve(undefined);
    for (const waiting of others) this.#ask(waiting);
  }

  #ask(waiting: Waiting): void {
    if (this.#failure) waiting.reject(this.#failure);
    else if (this.#damaged.has(waiting.name)) waiting.resolve(undefined);
    else {
      this.#waiting.push(waiting);
      this.#child.stdin?.write(`${waiting.name}\n`);
    }
  }

  /**
   * The object that `name` (an id, or a revision such as `HEAD:kai.yaml`) means, with no more than the first `most` bytes of its content,
   * the others not being kept; undefined where there is none.
   */
  find(name: string, most = Number.POSITIVE_INFINITY): Promise<ReadObject | undefined> {
    if (name.includes("\n")) throw new KaiError("E116", "An object's name cannot hold a line feed.");
    return new Promise((resolve, reject) => this.#ask({ name, most, resolve, reject }));
  }

  /** The same; E116 where there is none or it is of another type. */
  async read(name: string, type: ObjectType, most?: number): Promise<Buffer> {
    const object = await this.find(name, most);
    if (object?.type === type) return object.content;
    throw new KaiError("E116", `The repository lacks the ${type} ${name}.`, {
      hint: "`git fsck` shows what is missing; fetch it from a complete clone.",
    });
  }

  close(): void {
    this.#child.stdin?.end();
    this.#child.removeAllListeners("close");
    this.#child.stdout?.destroy();
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    while (this.#step());
  }

  /** Takes one header or one content off the buffer; false when it has to wait for more. */
  #step(): boolean {
    if (this.#header) {
      const { id, type, size } = this.#header;
      const wanted = Math.min(size, this.#waiting[0]?.most ?? 0);
      if (!this.#begun && this.#buffered < wanted) return false;
      this.#begun ??= { content: this.#shift(wanted), left: size - wanted + 1 };
      const passed = Math.min(this.#begun.left, this.#buffered);
      if (passed > 0) this.#shift(passed);
      this.#begun.left -= passed;
      if (this.#begun.left > 0) return false;
      const { content } = this.#begun;
      this.#header = undefined;
      this.#begun = undefined;
      this.#waiting.shift()?.resolve({ id, type, size, content });
      return true;
    }
    if (this.#buffered === 0) return false;
    const all = this.#join();
    const end = all.indexOf(10);
    if (end < 0) return false;
    const line = this.#shift(end + 1)
      .subarray(0, end)
      .toString();
    const match = /^(?<id>[0-9a-f]{40,64}) (?<type>blob|tree|commit|tag) (?<size>\d+)$/.exec(line);
    if (match?.groups) {
      this.#header = {
        id: match.groups["id"] ?? "",
        type: match.groups["type"] as ObjectType,
        size: Number(match.groups["size"]),
      };
    } else {
      this.#waiting.shift()?.resolve(undefined);
    }
    return true;
  }

  #join(): Buffer {
    const all = this.#chunks.length === 1 && this.#chunks[0] ? this.#chunks[0] : Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }

  #shift(length: number): Buffer {
    const all = this.#join();
    this.#chunks = all.length === length ? [] : [all.subarray(length)];
    this.#buffered = all.length - length;
    return all.subarray(0, length);
  }

  #fail(failure: KaiError): void {
    this.#failure ??= failure;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(failure);
  }
}
