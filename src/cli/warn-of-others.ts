import type { PerformedDeployment } from "../deploy/perform-deployment.js";
import type { Output } from "./output.js";
import { oneLine } from "./style.js";

/** Says where, behind a switch of the deployment, another agent than that which is deployed runs, or may. */
export function warnOfOthers(
  { stopped, runsOn }: Pick<PerformedDeployment, "stopped" | "runsOn">,
  output: Output,
): void {
  if (stopped?.ok === false) output.warn(`What ran before was not stopped as it should be: ${stopped.error}`);
  if (runsOn.length === 0) return;
  const places = runsOn.map(({ folder, processes }) => `${oneLine(folder)} (process ${processes.join(", ")})`);
  output.warn(`No command was run that would end it, so what was started here runs on in ${places.join(" and in ")}.`);
}
