import type { PerformedDeployment } from "../deploy/perform-deployment.js";
import type { Output } from "./output.js";
import { oneLine } from "./style.js";

/** Says where, behind a switch of the deployment, another agent than that which is deployed runs, or may, or the new one had to be started twice. */
export function warnOfOthers(
  { started, stopped, runsOn }: Pick<PerformedDeployment, "started" | "stopped" | "runsOn">,
  output: Output,
): void {
  if (started && started.againMs !== null) {
    output.warn(
      "The new agent did not survive that what ran before was stopped, so nothing answered until it was started once more: let `lifecycle.stop` end the agent of its own version and folder alone, which `pkill` does not.",
    );
  }
  if (stopped?.ok === false) output.warn(`What ran before was not stopped as it should be: ${stopped.error}`);
  if (runsOn.length === 0) return;
  const places = runsOn.map(({ folder, processes }) => `${oneLine(folder)} (process ${processes.join(", ")})`);
  output.warn(`No command was run that would end it, so what was started here runs on in ${places.join(" and in ")}.`);
}
