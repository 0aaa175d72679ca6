import { KaiError } from "../error.js";

export interface LeadingOptions {
  /** Options that stood before the command's name, as git takes them; they go to the command's own parser. */
  options: string[];
  rest: string[];
}

/** Splits `-C DIR --json create …` into the options in front and the command line behind them. */
export function leadingOptionsOf(argv: readonly string[]): LeadingOptions {
  const options: string[] = [];
  let index = 0;
  for (; index < argv.length; index++) {
    const word = argv[index] ?? "";
    if (word === "-C") {
      const folder = argv[++index];
      if (folder === undefined) throw new KaiError("E122", "-C wants a folder behind it.");
      options.push("-C", folder);
    } else if (word === "--json" || word === "--quiet" || word === "-q" || word === "--no-color") {
      options.push(word);
    } else {
      break;
    }
  }
  return { options, rest: argv.slice(index) };
}
