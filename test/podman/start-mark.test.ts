import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { leaderOf } from "../../src/podman/exec-end.js";
import { StartMark } from "../../src/podman/start-mark.js";

const HOUR_MS = 3_600_000;

function marked(ownKernel = false) {
  const taken: string[] = [];
  const mark = new StartMark((stream, chunk) => void taken.push(`${stream}: ${chunk}`), { ownKernel });
  const line = /echo "(\S+)/.exec(mark.script)?.[1] ?? "";
  return { mark, line, taken, take: (text: string) => mark.take("stderr", Buffer.from(text)) };
}

test("what a command prints comes without the line that says that it begins, and without podman's words before", () => {
  const { mark, line, taken, take } = marked();
  take("warning of podman\n");
  take(line.slice(0, 9));
  expect(mark.began).toBeUndefined();
  take(`${line.slice(9)} \nfirst`);
  mark.take("stdout", Buffer.from("out"));
  take(" second\n");
  expect(taken).toEqual(["stderr: first", "stdout: out", "stderr:  second\n"]);
  expect(mark.words).toBe("warning of podman\n");
  expect(mark.began).toBeDefined();
});

test("of a command that never began all that was said is podman's", () => {
  const { mark, taken, take } = marked();
  take("Error: it could not\n");
  expect([mark.words, taken, mark.began]).toEqual(["Error: it could not\n", [], undefined]);
});

test("a line that comes late says when the command began", () => {
  const up = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
  const before = performance.now();
  const [late, own] = [marked(), marked(true)];
  late.take(`${late.line} ${up - HOUR_MS / 1000}\n`);
  expect(late.mark.began?.at).toBeLessThan(before - HOUR_MS + 60_000);
  expect(late.mark.began?.time).toBeLessThan(Date.now() - HOUR_MS + 60_000);
  // A kernel of its own has another uptime.
  own.take(`${own.line} 1\n`);
  expect(own.mark.began?.at).toBeGreaterThanOrEqual(before);
});

test("the first process of an execution is found by its mark, or by having come from outside meanwhile", () => {
  const shared = { session: 0, stopped: false };
  const [first, asked] = [10, { first: 10, id: "a", since: 100 }];
  const child = { ...shared, id: 21, parent: 20, started: 101, mark: "a" };
  const leader = { ...shared, id: 20, parent: 5, started: 101, mark: "a" };
  const other = { ...shared, id: 30, parent: 5, started: 100, mark: "b" };
  const bare = { ...shared, id: 40, parent: 5, started: 102, mark: undefined };
  const orphan = { ...shared, id: 50, parent: first, started: 103, mark: "a" };
  expect(leaderOf([other, bare, child, leader, orphan], asked)?.id).toBe(20);
  expect(leaderOf([other, bare, orphan], asked)?.id).toBe(40);
  expect(leaderOf([other, orphan], asked)).toBeUndefined();
});
