import { openRepository } from "../../git/repository.js";
import type { Recovered } from "../../operation/recover.js";
import { withOperationLock } from "../../operation/with-operation-lock.js";
import { defineCommand } from "../define-command.js";
import type { Output } from "../output.js";

export const recoverCommand = defineCommand({
  name: "recover",
  summary: "Bring interrupted operations to their end",
  description:
    "Looks for operations that were interrupted: what had happened is put in place whole, what had not is taken away. Every writing command does the same before anything else; running it twice changes nothing.",
  async run(_input, context) {
    const repository = await openRepository(context.cwd, context.env);
    let recovered: readonly Recovered[] = [];
    await withOperationLock(
      repository,
      "recover",
      (found) => {
        recovered = found;
      },
      async () => {},
    );
    context.output.result({ recovered }, describeRecovered);
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
