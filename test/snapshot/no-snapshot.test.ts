import { expect, test } from "vitest";
import { noSnapshot } from "../../src/snapshot/saves.js";

const save = (id: string) => ({ id, version: "1.0.0", tag: "v1.0.0", commit: "a".repeat(40), savedAt: "" });

test("a snapshot that is gone is told, and so is that several begin or end alike", () => {
  const saves = [save("01KTESTTESTTESTTESTTESTTES"), save("01KTESTTESTTESTTESTTESTTET")];
  expect(noSnapshot(saves, "01k")).toMatchObject({ code: "E122", message: "2 snapshots begin or end with 01k." });
  expect(noSnapshot(saves, "ttet")).toMatchObject({
    code: "E101",
    message: "The snapshot 01KTESTTESTTESTTESTTESTTET is gone; what was saved of it is there.",
  });
  for (const asked of ["02", ""]) {
    expect(noSnapshot(saves, asked)).toMatchObject({ code: "E101", message: `There is no snapshot ${asked}.` });
  }
});
