import { expect, test } from "vitest";
import { canonicalJson } from "../../src/operation/canonical-json.js";
import { findRecord } from "../../src/version/find-record.js";
import { formatRecord, recordDigest, type VersionRecord } from "../../src/version/record.js";

const RECORD: VersionRecord = {
  format: "kai-record/1",
  id: "01EZ02PM0039YHTP3KX5CYNSJX",
  agent: "ai.example.clerk",
  repo: "0".repeat(32),
  version: "1.0.0",
  tag: "v1.0.0",
  type: "auto",
  commit: "a".repeat(40),
  parent: null,
  created: "2024-01-01T00:00:00Z",
  createdBy: { name: "Ada", email: "ada@example.com", key: "A".repeat(40) },
  notes: "first",
  changelog: [{ type: "feat", scope: null, description: "answer", breaking: false, commit: "a".repeat(40) }],
  tags: ["stable"],
  hash: "sha256:00",
  checksums: { config: "sha256:11", logic: null, state: null },
  components: { code: { files: 1, digest: "sha256:22" } },
  unpinned: [],
  lfs: [{ path: "model.bin", oid: "sha256:33", size: 7 }],
  compatibility: { required: "none", backward: [], forward: ["0.9.0"] },
  rollback: { canRollback: true, target: null, risks: [], procedure: "standard" },
  isolation: { network: "none" },
};
const LINE = formatRecord(RECORD);

test("a record is found by its digest among lines of other kinds", () => {
  const note = `{"format":"kai-entry/1"}\nwritten by hand\n${LINE}\n`;
  expect(findRecord(note, recordDigest(LINE))).toEqual(RECORD);
  expect(findRecord(note.replace("1.0.0", "1.0.1"), recordDigest(LINE))).toBeUndefined();
});

test("fields of a later version are kept", () => {
  const line = canonicalJson({ ...RECORD, lfs: [{ ...RECORD.lfs[0], store: "s3" }], zeal: 1 });
  expect(findRecord(line, recordDigest(line))).toEqual(JSON.parse(line));
});

test.each([
  ["an empty line", ""],
  ["text", "not JSON"],
  ["a list", "[]"],
  ["null", "null"],
  ["a record with blanks", LINE.replace(":", ": ")],
  ["a record with a field twice", LINE.replace('"tag":', '"tag":"v9.0.0","tag":')],
  ["a record of another format", LINE.replace("kai-record/1", "kai-record/2")],
  ["a record without a field", canonicalJson({ ...RECORD, changelog: undefined })],
  ["a record whose fields are of another kind", canonicalJson({ ...RECORD, createdBy: null })],
  [
    "a record with another kind further in",
    canonicalJson({ ...RECORD, changelog: [{ ...RECORD.changelog[0], scope: 1 }] }),
  ],
  [
    "a record with an agent's version of another kind",
    canonicalJson({ ...RECORD, dependencies: { agents: { a: 1 } } }),
  ],
  ["a record whose components are a list", canonicalJson({ ...RECORD, components: [] })],
])("%s is no record, though a tag names it", (_, line) => {
  expect(line).not.toBe(LINE);
  expect(findRecord(`{"format":"kai-entry/1"}\n${line}\n`, recordDigest(line))).toBeUndefined();
});
