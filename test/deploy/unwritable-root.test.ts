import { chmodSync, readdirSync, readlinkSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { LIFECYCLE, RUN, type Running, runningAgent, signalledAt } from "./running-agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

/** 1.0.0 and then 1.1.0 were deployed. */
async function deployedTwice(): Promise<Running> {
  const place = await runningAgent();
  await place.version("1.0.0", { "kai.yaml": LIFECYCLE, "run.sh": RUN });
  await place.version("1.1.0", { "logic.py": "new = 1\n" });
  for (const version of ["1.0.0", "1.1.0"]) expect((await place.agent.kai("deploy", version)).exit).toBe(0);
  return place;
}

/** Permissions do not hold back whoever may do everything. */
const asOwner = process.getuid?.() === 0 ? ["--bounding-set", "-dac_override"] : [];

const kai = ({ agent }: Running, ...args: string[]) =>
  agent.run("setpriv", [...asOwner, process.execPath, PROGRAM, ...args]);

/** Sets a mode until the test ends. */
function setMode(file: string, mode: number, usual: number): void {
  chmodSync(file, mode);
  onTestFinished(() => chmodSync(file, usual));
}

const linkOf = ({ root }: Running): string => readlinkSync(path.join(root, "current"));

const asides = ({ root }: Running): string[] => readdirSync(root).filter((name) => name.startsWith(".current-"));

test("a root or a log that cannot be written refuses before anything happens: the agent runs on", async () => {
  const place = await deployedTwice();
  const { agent, root, versionsThatRun } = place;
  const log = path.join(root, "rollback.log");
  for (const [where, mode, usual] of [
    [root, 0o555, 0o755],
    [log, 0o444, 0o644],
  ] as const) {
    setMode(where, mode, usual);
    for (const command of ["deploy", "rollback"]) {
      const before = agent.git("rev-parse", "HEAD", "current");
      const { error } = (await kai(place, command, "1.0.0", "--json")).json();
      expect([error.code, error.message, error.hint]).toEqual([
        "E118",
        `${root}/current cannot be switched: ${where} cannot be written (permission denied).`,
        "Nothing was changed. Mend that, and run it again.",
      ]);
      expect([linkOf(place), asides(place), await versionsThatRun()]).toEqual(["versions/v1.1.0", [], ["1.1.0"]]);
      expect(agent.git("rev-parse", "HEAD", "current")).toBe(before);
    }
    chmodSync(where, usual);
  }
  expect((await kai(place, "recover", "--json")).json().recovered).toEqual([]);
  expect((await kai(place, "deploy", "1.0.0")).exit).toBe(0);
  expect([linkOf(place), asides(place), await versionsThatRun()]).toEqual(["versions/v1.0.0", [], ["1.0.0"]]);
});

test("killed before it happened, recovery takes the link that was made beside `current` away", async () => {
  const place = await deployedTwice();
  await place.version("1.2.0", { "run.sh": RUN.replace("touch", "sleep 5; touch") });
  await signalledAt(place, ["deploy", "1.2.0"], "1.2.0 starts, current versions/v1.1.0");
  expect(asides(place)).toHaveLength(1);
  expect((await place.agent.kai("recover", "--json")).json().recovered).toMatchObject([{ outcome: "undone" }]);
  expect([linkOf(place), asides(place), await place.versionsThatRun()]).toEqual(["versions/v1.1.0", [], ["1.1.0"]]);
});

test("a root that becomes unwritable at the last moment is named, by recovery too, which goes on once it is mended", async () => {
  const place = await deployedTwice();
  const { root, versionsThatRun } = place;
  await place.version("1.2.0", {
    "kai.yaml": LIFECYCLE.replace(/run: 'test [^']*'/, `run: 'test ! -w "$KAI_DEPLOYMENT"'`),
    "run.sh": RUN.replace(/touch .*/, 'chmod 555 "$KAI_DEPLOYMENT"'),
  });
  onTestFinished(() => chmodSync(root, 0o755));
  const toldBy = async (...args: string[]) => {
    const { code, message, hint } = (await kai(place, ...args, "--json")).json().error;
    return [code, message, hint];
  };
  const what = `${root}/current could not be switched: ${root} cannot be written (permission denied).`;
  const recover = "`git kai-version recover` brings it to its end.";
  expect(await toldBy("deploy", "1.2.0")).toEqual([
    "E114",
    `deploy v1.2.0 is done, but not all of it is in place yet: ${what}`,
    `Mend the disk or the permissions there; then ${recover}`,
  ]);
  expect(await toldBy("recover")).toEqual(["E118", what, `Mend that; then ${recover}`]);
  chmodSync(root, 0o755);
  expect((await kai(place, "recover", "--json")).json().recovered).toMatchObject([{ outcome: "completed" }]);
  expect([linkOf(place), asides(place), await versionsThatRun()]).toEqual(["versions/v1.2.0", [], ["1.2.0"]]);
});
