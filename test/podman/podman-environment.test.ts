import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { podmanEnvironment } from "../../src/podman/podman.js";
import { scratch } from "../support/scratch.js";

test("podman is handed a runtime folder only where it is the caller's own", () => {
  const { dir } = scratch();
  const own = path.join(dir, "run");
  mkdirSync(own);
  writeFileSync(path.join(dir, "file"), "");
  symlinkSync(own, path.join(dir, "link"));
  const handed = (folder: string) => podmanEnvironment({ HOME: "/", XDG_RUNTIME_DIR: folder });
  for (const kept of [own, path.join(dir, "link")]) expect(handed(kept)).toMatchObject({ XDG_RUNTIME_DIR: kept });
  for (const other of [path.join(dir, "none"), path.join(dir, "file"), ""])
    expect(handed(other)).toEqual({ HOME: "/", LC_ALL: "C" });
  expect(podmanEnvironment({ HOME: "/" })).toEqual({ HOME: "/", LC_ALL: "C" });
  // As `su` leaves it: that of root.
  if (process.geteuid?.() === 0) {
    process.seteuid?.(54_320);
    onTestFinished(() => process.seteuid?.(0));
  }
  expect(handed("/proc")).toEqual({ HOME: "/", LC_ALL: "C" });
});
