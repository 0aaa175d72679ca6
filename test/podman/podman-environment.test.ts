import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { podmanEnvironment } from "../../src/podman/podman.js";
import { scratch } from "../support/scratch.js";

const NOTHING_MORE = { HOME: "/", LC_ALL: "C", PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" };

test("podman finds the administrator's programs behind those of the caller, whatever PATH that has", () => {
  expect(podmanEnvironment({ PATH: "/usr/bin:/bin" })["PATH"]).toBe("/usr/bin:/bin:/usr/sbin:/sbin");
  // Nothing in it is empty, which would be the folder that it runs in.
  for (const none of [{}, { PATH: "" }]) expect(podmanEnvironment(none)["PATH"]).toBe(NOTHING_MORE.PATH);
});

test("podman is handed a runtime folder only where it is the caller's own", () => {
  const { dir } = scratch();
  const own = path.join(dir, "run");
  mkdirSync(own);
  writeFileSync(path.join(dir, "file"), "");
  symlinkSync(own, path.join(dir, "link"));
  const handed = (folder: string) => podmanEnvironment({ HOME: "/", XDG_RUNTIME_DIR: folder });
  for (const kept of [own, path.join(dir, "link")]) expect(handed(kept)).toMatchObject({ XDG_RUNTIME_DIR: kept });
  for (const other of [path.join(dir, "none"), path.join(dir, "file"), ""]) expect(handed(other)).toEqual(NOTHING_MORE);
  expect(podmanEnvironment({ HOME: "/" })).toEqual(NOTHING_MORE);
  // As `su` leaves it: that of root.
  if (process.geteuid?.() === 0) {
    process.seteuid?.(54_320);
    onTestFinished(() => process.seteuid?.(0));
  }
  expect(handed("/proc")).toEqual(NOTHING_MORE);
});
