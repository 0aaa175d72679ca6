import { StringDecoder } from "node:string_decoder";
import type { KaiError } from "../error.js";
import { createStyle, printable, printableJson, printableValue, type Style } from "./style.js";

const SCHEMA_VERSION = 1;

/** What is said with `--quiet` of a command that does something and gives nothing. */
export const nothing = (): string => "";

export interface OutputOptions {
  json: boolean;
  quiet: boolean;
  color: boolean;
  /** Columns of the terminal; undefined in a pipe, where nothing is cut. */
  columns: number | undefined;
  /** True where progress may be drawn: stderr is a terminal. */
  live: boolean;
  /** Which of the two is a terminal, where control sequences would be acted on. */
  terminals: Readonly<Record<"stdout" | "stderr", boolean>>;
  stdout: (text: string | Uint8Array) => void;
  stderr: (text: string | Uint8Array) => void;
  /** Writes what comes for long; gives a promise where its reader has to be waited for before there is more. */
  pour: (stream: "stdout" | "stderr", text: string | Uint8Array) => Promise<void> | undefined;
}

/**
 * The one way to the user: results on stdout, everything else on stderr. Whatever it is given may come from a hostile
 * repository, so every text is made safe to print here, before it is styled.
 */
export class Output {
  readonly json: boolean;
  readonly columns: number | undefined;
  readonly style: Style;
  readonly #options: OutputOptions;
  /** A character may come in two pieces. */
  readonly #decoders = { stdout: new StringDecoder(), stderr: new StringDecoder() };
  #progressShown = false;

  constructor(options: OutputOptions) {
    this.#options = options;
    this.json = options.json;
    this.columns = options.columns;
    this.style = createStyle(options.color);
  }

  /** Whether nothing but a result is wanted: where nothing was done there is none. */
  get quiet(): boolean {
    return this.#options.quiet;
  }

  /**
   * The outcome of the command: the document with `--json`, else what `describe` makes of it, its texts made printable; with
   * `--quiet` what `brief` does, if that is given.
   */
  result<T extends object>(
    value: T,
    describe: (value: T, output: Output) => string,
    brief?: (value: T) => string,
  ): void {
    this.#clearProgress();
    if (this.json) {
      this.#options.stdout(`${printableJson({ schemaVersion: SCHEMA_VERSION, ...value })}\n`);
      return;
    }
    const say = (this.quiet && brief) || describe;
    const text = say(printableValue(value), this);
    if (text !== "") this.#options.stdout(text.endsWith("\n") ? text : `${text}\n`);
  }

  /** The same of a command whose own output is the result: without `--json` what there is to say goes to stderr. */
  told<T extends object>(value: T, describe: (value: T, output: Output) => string): void {
    if (this.json) {
      this.result(value, describe);
      return;
    }
    const text = describe(printableValue(value), this);
    if (text !== "") this.note(text);
  }

  /** Something worth knowing that is not the result. */
  note(message: string): void {
    if (this.#options.quiet) return;
    this.#clearProgress();
    this.#options.stderr(`${printable(message)}\n`);
  }

  warn(message: string): void {
    this.#clearProgress();
    this.#options.stderr(`${this.style.yellow("Warning:")} ${printable(message)}\n`);
  }

  error(error: KaiError): void {
    this.#clearProgress();
    if (this.json) {
      const { code, message, hint, data } = error;
      const document = { schemaVersion: SCHEMA_VERSION, error: { code, message, ...(hint && { hint }), ...data } };
      this.#options.stdout(`${printableJson(document)}\n`);
      return;
    }
    this.#options.stderr(`${this.style.red(`Error ${error.code}:`)} ${printable(error.message)}\n`);
    if (error.hint) this.#options.stderr(`${this.style.bold("Hint:")} ${printable(error.hint)}\n`);
  }

  /** A line of what a program prints while it runs, on a terminal; nothing in a pipe. */
  live(line: string): void {
    if (!this.#options.live || this.#options.quiet || this.json) return;
    this.#clearProgress();
    this.#options.stderr(`${this.style.dim(printable(line))}\n`);
  }

  /**
   * What a program in a sandbox prints, as it prints it. On a terminal control sequences are taken out, because nobody trusts
   * it; in a pipe it comes byte for byte. Gives a promise where its reader has to be waited for.
   */
  raw(stream: "stdout" | "stderr", chunk: Buffer): Promise<void> | undefined {
    this.#clearProgress();
    const { terminals, pour } = this.#options;
    return pour(stream, terminals[stream] ? printable(this.#decoders[stream].write(chunk)) : chunk);
  }

  /** One line on a terminal that the next one replaces; nothing in a pipe. */
  readonly progress = (message: string): void => {
    if (!this.#options.live || this.#options.quiet || this.json) return;
    this.#clearProgress();
    this.#options.stderr(this.style.dim(cut(printable(message), this.columns ?? 80)));
    this.#progressShown = true;
  };

  /** What is waited for, in one line where progress is not drawn, however quiet it is to be; nothing where it is. */
  readonly waiting = (message: string): void => {
    if (!this.#options.live || this.#options.quiet) this.#options.stderr(`${printable(message)}\n`);
  };

  done(): void {
    this.#clearProgress();
  }

  #clearProgress(): void {
    if (!this.#progressShown) return;
    this.#options.stderr("\r\u001b[K");
    this.#progressShown = false;
  }
}

const cut = (text: string, width: number): string => (text.length < width ? text : `${text.slice(0, width - 2)}…`);
