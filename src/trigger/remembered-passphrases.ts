import type { Caller } from "../version/writing-session.js";

type Ask = NonNullable<Caller["askPassphrase"]>;

/**
 * Asks once for what two operations in a row need: behind `goOn` the passphrase that a key was given last is handed out first,
 * and only where that was wrong somebody is asked again.
 */
export class RememberedPassphrases {
  readonly #ask: Ask;
  readonly #given = new Map<string, string>();
  readonly #handOut = new Set<string>();

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  readonly ask: Ask = async (key) => {
    const known = this.#handOut.delete(key) ? this.#given.get(key) : undefined;
    if (known !== undefined) return known;
    const given = await this.#ask(key);
    this.#given.set(key, given);
    return given;
  };

  goOn(): void {
    for (const key of this.#given.keys()) this.#handOut.add(key);
  }
}
