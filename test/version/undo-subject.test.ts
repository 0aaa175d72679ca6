import { expect, test } from "vitest";
import { describeUndo } from "../../src/version/undo-subject.js";

test("an undo that is taken back is a redo, and its name does not grow", () => {
  const names = ["rollback v1.1.0 -> v1.0.0"];
  for (let times = 0; times < 4; times++) names.push(describeUndo({ subject: names.at(-1) ?? "" }));
  const [, undo = "", redo = ""] = names;
  expect([undo, redo]).toEqual(["undo rollback v1.1.0 -> v1.0.0", "redo rollback v1.1.0 -> v1.0.0"]);
  expect(names.slice(3)).toEqual([undo, redo]);
});
