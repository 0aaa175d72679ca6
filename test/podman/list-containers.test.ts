import { expect, test } from "vitest";
import { listContainers, parseContainers, SNAPSHOT_LABEL } from "../../src/podman/list-containers.js";
import { removeContainer } from "../../src/podman/remove-container.js";
import { stopContainer } from "../../src/podman/stop-container.js";
import { sharedCache } from "../snapshot/sandbox.js";
import { idleSandbox } from "./sandbox.js";

const cache = sharedCache();

test("containers are found by their label, with their state and first process", async () => {
  const id = `LIST${process.pid}`;
  const { env, plan, container } = await idleSandbox(cache, { labels: { [SNAPSHOT_LABEL]: id } });
  const label = `${SNAPSHOT_LABEL}=${id}`;
  const pid = Number(container.process.split(":")[1]);
  expect(await listContainers(label, env)).toMatchObject([{ name: plan.name, state: "running", pid }]);
  await stopContainer(plan.name, 5000, env);
  expect(await listContainers(label, env)).toMatchObject([{ name: plan.name, state: "exited", pid: 0, exitCode: 0 }]);
  await removeContainer(plan.name, env);
  expect(await listContainers(label, env)).toEqual([]);
});

test("a state that is not known is other, and no label is none", () => {
  const document = { Id: "ab", Names: ["kai-1"], Labels: null, State: "removing", Pid: 0, ExitCode: 1, Networks: null };
  expect(parseContainers(JSON.stringify([document]))).toEqual([
    { id: "ab", name: "kai-1", labels: {}, state: "other", pid: 0, exitCode: 1, networks: [] },
  ]);
  expect(parseContainers("")).toEqual([]);
});
