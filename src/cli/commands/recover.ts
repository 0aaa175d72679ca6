import type { Recovered } from "../../operation/recover.js";
import type { Rebuilt } from "../../version/rebuild-projection.js";
import { recoverAgent } from "../../version/writing-session.js";
import { callerOf, tellConfigBroken } from "../caller.js";
import { defineCommand } from "../define-command.js";
import { loggedOperations } from "../logged-operations.js";
import type { Output } from "../output.js";
import { rebuiltLines } from "../rebuilt-lines.js";

export const recoverCommand = defineCommand({
  name: "recover",
  summary: "Bring interrupted operations to their end",
  description:
    "Looks for operations that were interrupted: what had happened is put in place whole, what had not is taken away. Every writing command does the same before anything else. Then it verifies the log, and makes records and versions' tags that are missing again from it. Running it twice changes nothing.",
  async run(_input, context) {
    let recovered: readonly Recovered[] = [];
    const rebuilt = await recoverAgent({
      ...callerOf(context, tellConfigBroken),
      onRecovered: (found) => {
        recovered = found;
      },
    });
    const happened = recovered.filter(({ outcome }) => outcome === "completed");
    const logged = await loggedOperations(
      happened.map(({ operation }) => operation),
      context,
    );
    const told = recovered.map((each) => ({ ...logged.get(each.operation), ...each }));
    context.output.result({ recovered: told, rebuilt }, describeRecovered);
  },
});

interface WhatWasDone {
  readonly recovered: readonly Recovered[];
  readonly rebuilt: Rebuilt;
}

function describeRecovered({ recovered, rebuilt }: WhatWasDone, { style }: Output): string {
  const lines = recovered.flatMap(({ kind, operation, outcome, agent, ended }) => [
    `${style.green("✓")} ${kind} ${operation}: ${outcome === "completed" ? "had happened, and is whole now" : "had not happened, and nothing of it is left"}`,
    ...(agent === null ? [] : [startedAgain(agent, style)]),
    ...(ended === null ? [] : [endedThen(ended, style)]),
  ]);
  if (lines.length === 0) lines.push("Nothing was interrupted.");
  return [...lines, ...rebuiltLines(rebuilt).map((line) => `${style.green("✓")} ${line}`)].join("\n");
}

const startedAgain = ({ ok, error }: NonNullable<Recovered["agent"]>, style: Output["style"]): string =>
  ok ? `  ${style.green("✓")} the agent runs` : `  ${style.red("✗")} the agent could not be started: ${error}`;

const endedThen = ({ ok, error }: NonNullable<Recovered["ended"]>, style: Output["style"]): string =>
  ok
    ? `  ${style.green("✓")} the agent beside it was ended`
    : `  ${style.red("✗")} the agent beside it was not ended: ${error}`;
