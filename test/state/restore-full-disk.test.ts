import { cpSync, mkdtempSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { leftovers } from "../operation/observe.js";
import { smallDisk } from "../support/small-disk.js";
import { agentWithState, buildDriver, stateOf } from "./restoring.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

/** Pages of the disk that are free. */
const ROOM = [0, 4, 10, 16, 22, 28, 34, 40, 48, 56, 64, 80, 100, 1024];

test("state is restored on a disk that is full: nothing of it, or all of it once there is room", async () => {
  const agent = await agentWithState();
  const driver = await buildDriver(agent);
  const place = await smallDisk();
  const seen = { ...agent, dir: path.join(place.seen, "clerk") };
  cpSync(agent.dir, seen.dir, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  const run = (...args: string[]) =>
    place.run(process.execPath, args, { cwd: path.join(place.dir, "clerk"), env: agent.env });
  // sqlite3 is not on that disk's side of the mount.
  const state = () => {
    const copy = mkdtempSync(path.join(path.dirname(agent.dir), "copy-"));
    cpSync(seen.dir, copy, { recursive: true, verbatimSymlinks: true });
    return stateOf({ ...agent, dir: copy });
  };
  let failures = 0;
  for (const room of ROOM) {
    place.leave(room);
    const ran = await run(driver);
    if (ran.exit === 0) break;
    failures++;
    place.leave(1024);
    const recovered = await run(PROGRAM, "recover", "--json");
    expect(recovered.exit, String(recovered)).toBe(0);
    expect(leftovers(seen)).toEqual([]);
    const [found] = recovered.json().recovered;
    if (found?.outcome === "completed") break;
    expect(state()).toBe("live");
  }
  expect(failures).toBeGreaterThan(0);
  expect(state()).toBe("captured");
  expect(leftovers(seen)).toEqual([]);
});
