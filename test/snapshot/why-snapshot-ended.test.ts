import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { SnapshotRecord } from "../../src/snapshot/snapshot-record.js";
import { whySnapshotEnded } from "../../src/snapshot/why-snapshot-ended.js";
import { ownIdentity } from "../../src/system/process-identity.js";
import { scratch } from "../support/scratch.js";
import { RECORD } from "./snapshot-record.js";

const BEFORE = new Date("2026-01-01T12:00:00Z");
const AFTER = new Date("2026-01-02T00:00:00Z");

/** A folder of records with one in it, of a snapshot whose first process lives unless another one is given. */
async function kept(other: Partial<SnapshotRecord> = {}) {
  const { dir } = scratch();
  const record = { ...RECORD, process: ownIdentity(), ...other };
  const folder = path.join(dir, record.id);
  mkdirSync(folder);
  writeFileSync(path.join(folder, "record.json"), JSON.stringify(record));
  return { store: { folderOf: () => folder }, record, folder };
}

test("a snapshot that goes on, whose time is over, that is gone or whose container ended", async () => {
  const living = await kept();
  expect(await whySnapshotEnded(living.store, living.record, BEFORE)).toBeNull();
  const dead = await kept({ process: "boot:1:1" });
  expect(await whySnapshotEnded(dead.store, dead.record, BEFORE)).toBe("ended");
  expect(await whySnapshotEnded(dead.store, dead.record, AFTER)).toBe("ttl");
  rmSync(living.folder, { recursive: true });
  expect(await whySnapshotEnded(living.store, living.record, BEFORE)).toBe("ended");
});

test("one that is being destroyed has ended, though its first process is still seen", async () => {
  const { store, record } = await kept({ destroyer: "boot:2:2" });
  expect(await whySnapshotEnded(store, record, BEFORE)).toBe("ended");
});
