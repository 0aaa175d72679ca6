import type { Output } from "./output.js";

/** Characters of an id on a terminal: its time, and enough to be told from others. Commands take them. */
const SHORT_ID = 14;

/** The id of an operation or a run as a list has it: whole where a program may read it. */
export const shortId = (id: string, { columns }: Pick<Output, "columns">): string =>
  columns === undefined ? id : id.slice(0, SHORT_ID);
