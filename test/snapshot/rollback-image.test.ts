import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { baseImage } from "./base-image.js";
import { PIP, version } from "./image-versions.js";
import { snapshotAgent } from "./snapshot-agent.js";

const asks = (requirement: string) => ({ "requirements.txt": `${requirement}\n` });

test("an upgrade that was tried in its image is rolled back on a machine that has neither version's packages", async () => {
  const base = await baseImage({ pip: PIP });
  const tests = [{ name: "answers", run: "cat /etc/given/requirements.txt" }];
  const agent = await snapshotAgent({ base_images: { python: base.name }, tests }, asks("greet==1.0"));
  await version(agent, "1.2.0", asks("greet==2.0"));
  for (const number of ["1.1.0", "1.2.0"]) expect(await agent.made("test", number)).toMatchObject({ passed: true });
  const back = await agent.kai("rollback", "1.1.0", "--json");
  expect(back.exit, String(back)).toBe(0);
  expect(readFileSync(path.join(agent.dir, "requirements.txt"), "utf8")).toBe("greet==1.0\n");
  const { steps } = back.json();
  const checked = steps.find(({ type }: { type: string }) => type === "validate_rollback");
  expect(checked).toMatchObject({ status: "done" });
  expect(checked.remarks.join(" ")).toContain(
    "The functionality test answers failed on this machine, where it has never passed; it passed in the version's image",
  );
  expect((await agent.kai("log", "--kind", "outcome", "--json")).json().operations).toMatchObject([
    { subject: "outcome of rollback 1.2.0 -> 1.1.0: well" },
  ]);
});

test("a version that nobody tried in its image, or that failed there, is judged on this machine", async () => {
  const base = await baseImage({ pip: PIP });
  const tests = [{ name: "answers", run: "grep greet==2.0 /etc/given/requirements.txt" }];
  const agent = await snapshotAgent({ base_images: { python: base.name }, tests }, asks("greet==1.0"));
  await version(agent, "1.2.0", asks("greet==2.0"));
  await agent.snapshot("test", "1.1.0");
  expect((await agent.kai("rollback", "1.1.0", "--json")).json().error).toMatchObject({ code: "E127" });
  await version(agent, "1.3.0", asks("greet==3.0"));
  expect((await agent.kai("rollback", "1.2.0", "--force", "--json")).json().error).toMatchObject({ code: "E127" });
});
