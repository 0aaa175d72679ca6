import { KaiError } from "../error.js";
import type { FileProblem } from "./check-working-files.js";

const SHOWN = 20;

/** E102: a deployment's folder is not what was deployed. */
export function changedDeployment(folder: string, problems: readonly FileProblem[]): KaiError {
  const shown = problems.slice(0, SHOWN).map(({ path, problem }) => `${path} (${problem})`);
  const more = problems.length > SHOWN ? `, and ${problems.length - SHOWN} more` : "";
  return new KaiError("E102", `The deployment ${folder} was changed: ${shown.join(", ")}${more}.`, {
    hint: "Deploy another version if it is in use, move that folder away, and deploy it again: it is written anew.",
    data: { paths: problems.map(({ path }) => path), problems },
  });
}
