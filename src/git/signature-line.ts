export interface Identity {
  readonly name: string;
  readonly email: string;
}

/** A moment from git's seconds since 1970; undefined beyond 8.64e12, the last that a Date can be (ECMA-262, 21.4.1.1). */
export function dateOf(seconds: string | undefined): Date | undefined {
  const at = new Date(Number(seconds) * 1000);
  return Number.isNaN(at.getTime()) ? undefined : at;
}

/** `Name <email> seconds +0000`, without the characters that would break the line. */
export function formatSignatureLine(who: Identity, at: Date): string {
  const clean = (text: string) => text.replace(/[<>\n\0]/g, "").trim();
  return `${clean(who.name)} <${clean(who.email)}> ${Math.floor(at.getTime() / 1000)} +0000`;
}
