import { KaiError } from "../error.js";

/** Of a command that runs another one, and got none. */
export const nothingNamed = (usage: string): KaiError =>
  new KaiError("E122", "Nothing was named to run.", {
    hint: `Name a command behind \`--\`: \`git kai-version ${usage}\``,
  });
