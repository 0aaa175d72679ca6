import { expect, test } from "vitest";
import type { ContainerProcess } from "../../src/podman/container-processes.js";
import { processesOfExec } from "../../src/podman/processes-of-exec.js";

const FIRST = 100;
/** The monitor of an execution, outside. */
const OUTSIDE = 7;
const SINCE = 5000;

const running = (id: number, parent: number, more: Partial<ContainerProcess> = {}): ContainerProcess => ({
  id,
  parent,
  session: id,
  started: SINCE + id,
  stopped: false,
  mark: undefined,
  ...more,
});

const judge = (processes: ContainerProcess[], now = SINCE + 10_000) =>
  processesOfExec(processes, { first: FIRST, id: "a", since: SINCE, now });
const found = (...processes: ContainerProcess[]) => judge(processes).found.map(({ id }) => id);

test("what is marked belongs to the execution, and what that started or has in its session", () => {
  expect(
    found(
      running(1, OUTSIDE, { mark: "a" }),
      running(2, 1),
      running(3, 2),
      running(4, FIRST, { session: 1, started: 1 }),
      running(5, OUTSIDE, { mark: "b" }),
      running(6, 5),
      running(8, FIRST, { session: 5 }),
    ),
  ).toEqual([1, 2, 3, 4]);
});

test("a child's environment does not make it another execution's", () => {
  expect(
    found(running(1, OUTSIDE, { mark: "a" }), running(2, 1, { mark: "b" }), running(3, FIRST, { mark: "b" })),
  ).toEqual([1, 2]);
});

test("what belongs to nobody counts when it began meanwhile", () => {
  expect(found(running(1, FIRST), running(2, FIRST, { started: SINCE - 1 }))).toEqual([1]);
});

test("what comes from outside and has no mark yet may be another execution for a while", () => {
  const processes = [running(1, OUTSIDE), running(2, OUTSIDE, { mark: "a" }), running(3, 1), running(4, FIRST)];
  const early = judge(processes, SINCE + 100);
  expect({ ids: early.found.map(({ id }) => id), doubtful: early.doubtful }).toEqual({
    ids: [2, 3, 4],
    doubtful: true,
  });
  expect(judge(processes)).toMatchObject({ found: [{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }], doubtful: false });
});

test("numbers that were used again between two looks lead round in no circle", () => {
  expect(found(running(1, 2), running(2, 1, { mark: "a" }))).toEqual([1, 2]);
});
