import type { CreateRequest } from "../version/decide-creation.js";

/** What is asked of `create` for a version that nobody asked for: whether anything is new the occasion decides. */
export const automaticVersion = (occasion: CreateRequest["occasion"]): CreateRequest => ({
  type: "auto",
  bump: undefined,
  exact: undefined,
  description: undefined,
  tags: [],
  includeChanges: false,
  allowUnchanged: true,
  moveCurrent: true,
  trustCommands: false,
  dryRun: false,
  occasion,
});
