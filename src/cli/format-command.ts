import { shellQuote } from "../system/shell-quote.js";

/** What a shell takes for a word as it is. */
const PLAIN = /^[\w@%+=:,./-]+$/;

/** A command as one would type it. */
export const formatCommand = (words: readonly string[]): string =>
  words.map((word) => (PLAIN.test(word) ? word : shellQuote(word))).join(" ");
