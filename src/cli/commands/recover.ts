import type { Recovered } from "../../operation/recover.js";
import { recoverAgent } from "../../version/writing-session.js";
import { callerOf } from "../caller.js";
import { defineCommand } from "../define-command.js";
import { loggedOperations } from "../logged-operations.js";
import type { Output } from "../output.js";

export const recoverCommand = defineCommand({
  name: "recover",
  summary: "Bring interrupted operations to their end",
  description:
    "Looks for operations that were interrupted: what had happened is put in place whole, what had not is taken away. Every writing command does the same before anything else; running it twice changes nothing.",
  async run(_input, context) {
    let recovered: readonly Recovered[] = [];
    await recoverAgent({
      ...callerOf(context),
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
    context.output.result({ recovered: told }, describeRecovered);
  },
});

function describeRecovered({ recovered }: { recovered: readonly Recovered[] }, { style }: Output): string {
  if (recovered.length === 0) return "Nothing was interrupted.";
  return recovered
    .map(
      (each) =>
        `${style.green("✓")} ${each.kind} ${each.operation}: ${each.outcome === "completed" ? "had happened, and is whole now" : "had not happened, and nothing of it is left"}`,
    )
    .join("\n");
}
