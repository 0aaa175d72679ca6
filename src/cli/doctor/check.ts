/** `warn`: something works less well without it; `missing`: something does not work at all. */
export interface Check {
  name: string;
  state: "ok" | "warn" | "missing";
  detail: string;
  /** What mends it, the command in backquotes; null where nothing is to be done. */
  remedy: string | null;
}

export const ok = (name: string, detail: string): Check => ({ name, state: "ok", detail, remedy: null });

export const warn = (name: string, detail: string, remedy: string): Check => ({ name, state: "warn", detail, remedy });

export const missing = (name: string, detail: string, remedy: string): Check => ({
  name,
  state: "missing",
  detail,
  remedy,
});
