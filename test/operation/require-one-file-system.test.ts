import { expect, test } from "vitest";
import { requireOneFileSystem } from "../../src/operation/require-one-file-system.js";
import { scratch } from "../support/scratch.js";

test("what lies in a folder where another file system is mounted is refused by name", async () => {
  await expect(requireOneFileSystem("/", ["etc/hosts", "proc/a/b"])).rejects.toMatchObject({
    code: "E118",
    message: "proc/a/b lies on another file system than the working tree.",
  });
  await requireOneFileSystem(scratch().dir, ["a", "folder/that/is/not/there"]);
});
