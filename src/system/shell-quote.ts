/** A text as one word of a shell (POSIX): nothing in it is expanded or ends it. */
export const shellQuote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
