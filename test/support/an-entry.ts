import type { Entry } from "../../src/operation/entry.js";

/** An entry that makes a version and puts it in force; `more` is what is otherwise in it. */
export const anEntry = (version: string, more: Partial<Entry> = {}): Entry => ({
  format: "kai-operation/1",
  id: "01EZ02PM0039YHTP3KX5CYNSJX",
  repo: "0".repeat(32),
  seq: 1,
  kind: "create",
  actor: { name: "Ada", email: "ada@example.com", key: "A".repeat(40) },
  at: "2024-01-01T00:00:00Z",
  changes: [{ ref: `refs/tags/v${version}`, old: null, new: "b".repeat(40) }],
  current: { before: null, after: { version, tag: "b".repeat(40), pointer: "c".repeat(40) } },
  withdrawn: [],
  restored: [],
  details: { tag: `v${version}`, version },
  ...more,
});
