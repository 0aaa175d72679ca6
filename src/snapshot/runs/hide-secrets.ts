import type { EndedExecution } from "../execution.js";
import { maskText } from "./redact.js";

/** What is told of an execution beside its output, in words that the sandbox chose. */
export type ToldFreely = Pick<EndedExecution, "requests" | "artifacts" | "refused" | "failures">;

/** The same without the secrets that the sandbox put into a name or an address. */
export function hideSecrets(
  { requests, artifacts, refused, failures }: ToldFreely,
  secrets: readonly string[],
): ToldFreely {
  const hidden = (text: string): string => maskText(text, secrets);
  return {
    requests: requests.map((request) => ({
      ...request,
      method: hidden(request.method),
      host: hidden(request.host),
      reason: request.reason === null ? null : hidden(request.reason),
    })),
    artifacts: artifacts?.map((artifact) => ({ ...artifact, path: hidden(artifact.path) })) ?? null,
    refused: refused?.map((each) => ({ ...each, path: hidden(each.path) })) ?? null,
    failures: failures.map(hidden),
  };
}
