/** What every code means, in the words of `docs/errors.md`, and the exit status that it ends with. */
export const ERROR_CODES = {
  E101: { title: "Invalid version to go back to, or no such version", exit: 1 },
  E102: { title: "Checksum mismatch, or changes that are not versioned", exit: 1 },
  E103: { title: "A snapshot could not be isolated", exit: 3 },
  E104: { title: "Not a git repository", exit: 1 },
  E105: { title: "Not an agent", exit: 1 },
  E106: { title: "Invalid kai.yaml", exit: 1 },
  E107: { title: "Invalid version number or tag name", exit: 2 },
  E108: { title: "Version number not allowed", exit: 1 },
  E109: { title: "Nothing new to version", exit: 1 },
  E110: { title: "No usable key", exit: 3 },
  E111: { title: "Wrong passphrase", exit: 1 },
  E112: { title: "Not allowed by the policy", exit: 1 },
  E113: { title: "Another operation is under way", exit: 4 },
  E114: { title: "Recovery found somebody else's change", exit: 4 },
  E115: { title: "A journal of an interrupted operation is damaged", exit: 4 },
  E116: { title: "git refused", exit: 1 },
  E117: { title: "A program is missing", exit: 3 },
  E118: { title: "The disk could not be written", exit: 1 },
  E119: { title: "Verification failed", exit: 1 },
  E120: { title: "Format not supported", exit: 1 },
  E121: { title: "The log or its trust root is not what this clone knows", exit: 1 },
  E122: { title: "Wrong usage", exit: 2 },
  E123: { title: "A file could not be read", exit: 1 },
  E124: { title: "Out of time", exit: 1 },
  E125: { title: "The repository is in a state that does not allow this", exit: 1 },
  E126: { title: "A command of the agent failed", exit: 1 },
  E127: { title: "A rollback did not hold", exit: 1 },
  E128: { title: "What a snapshot changed was not taken", exit: 1 },
  E129: { title: "Not tested in a snapshot", exit: 1 },
  E170: { title: "A defect in git kai-version", exit: 70 },
} as const satisfies Record<string, { title: string; exit: number }>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetails {
  /** What the reader can do about it; commands in backquotes. */
  hint?: string | undefined;
  cause?: unknown;
  /** Where exit status 4, say, is meant although the code usually ends with 1. */
  exit?: number | undefined;
  /** Machine-readable particulars, given with `--json`. */
  data?: Record<string, unknown> | undefined;
}

/** The only error that users see: what happened, and in the hint what to do. */
export class KaiError extends Error {
  override readonly name = "KaiError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly exit: number;
  readonly data: Record<string, unknown> | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.exit = details.exit ?? ERROR_CODES[code].exit;
    this.data = details.data;
  }
}
