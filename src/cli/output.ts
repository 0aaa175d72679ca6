import type { KaiError } from "../error.js";
import { createStyle, printable, printableJson, printableValue, type Style } from "./style.js";

const SCHEMA_VERSION = 1;

export interface OutputOptions {
  json: boolean;
  quiet: boolean;
  color: boolean;
  /** Columns of the terminal; undefined in a pipe, where nothing is cut. */
  columns: number | undefined;
  /** True where progress may be drawn: stderr is a terminal. */
  live: boolean;
  stdout: (text: string) => void;
  stderr: (text: string) => void;
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
  #progressShown = false;

  constructor(options: OutputOptions) {
    this.#options = options;
    this.json = options.json;
    this.columns = options.columns;
    this.style = createStyle(options.color);
  }

  /** The outcome of the command: the document with `--json`, else what `describe` makes of it, its texts made printable. */
  result<T extends object>(value: T, describe: (value: T, output: Output) => string): void {
    this.#clearProgress();
    if (this.json) {
      this.#options.stdout(`${printableJson({ schemaVersion: SCHEMA_VERSION, ...value })}\n`);
      return;
    }
    const text = describe(printableValue(value), this);
    if (text !== "") this.#options.stdout(text.endsWith("\n") ? text : `${text}\n`);
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

  /** One line on a terminal that the next one replaces; nothing in a pipe. */
  readonly progress = (message: string): void => {
    if (!this.#options.live || this.#options.quiet || this.json) return;
    this.#clearProgress();
    this.#options.stderr(this.style.dim(cut(printable(message), this.columns ?? 80)));
    this.#progressShown = true;
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
