import { expect, test } from "vitest";
import { sample } from "./kill-sweep.js";
import { LOSSES, type PowerLoss, Recording } from "./power-loss.js";
import { withoutProcesses } from "./sweep-scenarios.js";

const FULL = process.env["KAI_SWEEP"] === "all";
const SEED = 20261121;

/** How many moments of each command; in a full sweep so many by each kind of loss. */
const DAILY = 9;
const EACH = Number(process.env["KAI_POWER"] ?? 12);

function lossesOf({ length: calls, lasting }: Recording): PowerLoss[] {
  const daily = sample(calls, DAILY, SEED).map((at, index) => ({ at, ...LOSSES[index % LOSSES.length] }));
  const full = LOSSES.flatMap((loss, index) => sample(calls, EACH, SEED + index).map((at) => ({ at, ...loss })));
  // When the command has said that it is done, it is.
  const end = LOSSES.map((loss) => ({ at: calls + 1, ...loss }));
  // Just behind the commit point recovery needs all that was to last before it.
  const committed: PowerLoss = { at: lasting + 1, names: "dropped", bytes: "dropped" };
  return [committed, ...((FULL ? full : daily) as PowerLoss[]), ...(FULL ? end : end.slice(-3))];
}

for (const [name, prepare] of Object.entries(withoutProcesses)) {
  test(`${name}: when the power goes it happened whole or not at all`, { timeout: 3_600_000 }, async () => {
    const recording = await Recording.of(await prepare());
    const losses = lossesOf(recording);
    const { tried, before, after, failures } = await recording.lose(losses);
    recording.remove();
    process.stdout.write(
      `${name}, ${recording.length} calls, power lost ${tried} times (${before} before, ${after} after): ${failures.length} problems\n`,
    );
    for (const failure of failures) process.stdout.write(`  ${failure.slice(0, 600)}\n`);
    expect(failures).toEqual([]);
  });
}
