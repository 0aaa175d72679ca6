import type { SnapshotTest } from "../../agent/config.js";
import { parseDuration, parseSize } from "../../agent/quantity.js";
import type { EarlierResult } from "./earlier-results.js";
import type { Expectations } from "./expectations.js";

/** What a scenario must show; `before` is what it took with a version before, if that is known. */
export const expectationsOf = ({ expect }: SnapshotTest, before?: EarlierResult): Expectations => ({
  exitCode: expect.exit_code,
  stdout: expect.stdout ?? undefined,
  maxDurationMs: expect.max_duration === null ? undefined : parseDuration(expect.max_duration),
  maxMemoryBytes: expect.max_memory === null ? undefined : parseSize(expect.max_memory),
  worseThan:
    expect.worse_than_before === null || before === undefined
      ? undefined
      : { percent: Number.parseFloat(expect.worse_than_before), before },
});

/** What is said of a scenario that should be compared with a version before and is not. */
export const notCompared = ({ name }: Pick<SnapshotTest, "name">): string =>
  `${name} is compared with no version before: none was tested on this machine.`;
