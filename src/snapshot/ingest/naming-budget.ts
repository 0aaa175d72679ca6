/** More names than that would fill the memory, and their links would not be followed either. */
const MOST_KEPT = 4_000_000;

/** Compared in seconds. */
const MOST_LOOKED_AT = 200_000_000;

/** Letters of commands, and of what they are compared with, that are looked at: a sandbox may have written both. */
export class NamingBudget {
  #kept = MOST_KEPT;
  #lookedAt = MOST_LOOKED_AT;

  get isSpent(): boolean {
    return this.#kept < 0 || this.#lookedAt < 0;
  }

  keep(letters: number): void {
    this.#kept -= letters;
  }

  look(letters: number): void {
    this.#lookedAt -= letters;
  }
}
