import type { ChildProcess } from "node:child_process";
import { KaiError } from "../error.js";
import { spawnProgram } from "../system/process.js";
import type { ObjectType } from "./object.js";
import type { Repository } from "./repository.js";

export interface ReadObject {
  id: string;
  type: ObjectType;
  content: Buffer;
}

interface Waiting {
  resolve: (object: ReadObject | undefined) => void;
  reject: (cause: unknown) => void;
}

/** Objects by id or revision, all from one `git cat-file --batch` that lives until `close`. */
export class ObjectReader {
  readonly #child: ChildProcess;
  readonly #waiting: Waiting[] = [];
  #chunks: Buffer[] = [];
  #buffered = 0;
  #header: { id: string; type: ObjectType; size: number } | undefined;
  #failure: KaiError | undefined;

  constructor(repository: Repository) {
    this.#child = spawnProgram({
      file: "git",
      args: ["cat-file", "--batch"],
      cwd: repository.workTree ?? repository.gitDir,
      env: repository.env,
    });
    this.#child.stdout?.on("data", (chunk: Buffer) => this.#take(chunk));
    this.#child.stdin?.on("error", () => {});
    this.#child.once("error", (cause) => this.#fail(new KaiError("E117", "git could not be started.", { cause })));
    this.#child.once("close", () => this.#fail(new KaiError("E116", "git cat-file ended before it answered.")));
  }

  /** The object that `name` (an id, or a revision such as `HEAD:kai.yaml`) means; undefined where there is none. */
  find(name: string): Promise<ReadObject | undefined> {
    if (name.includes("\n")) throw new KaiError("E116", "An object's name cannot hold a line feed.");
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      this.#waiting.push({ resolve, reject });
      this.#child.stdin?.write(`${name}\n`);
    });
  }

  /** The same; E116 where there is none or it is of another type. */
  async read(name: string, type: ObjectType): Promise<Buffer> {
    const object = await this.find(name);
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
      if (this.#buffered < this.#header.size + 1) return false;
      const content = this.#shift(this.#header.size + 1).subarray(0, this.#header.size);
      const { id, type } = this.#header;
      this.#header = undefined;
      this.#waiting.shift()?.resolve({ id, type, content });
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
