/** Why the proxy does not do what it was asked, as the client hears it and the record keeps it. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  /** The status of the answer. */
  readonly status: number;
  /** False where the destination could not be reached although it may be. */
  readonly forbidden: boolean;

  constructor(
    status: number,
    reason: string,
    { forbidden = true, cause }: { forbidden?: boolean; cause?: unknown } = {},
  ) {
    super(reason, { cause });
    this.status = status;
    this.forbidden = forbidden;
  }
}
