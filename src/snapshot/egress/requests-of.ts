import type { EgressRequest } from "./request-log.js";
import type { Egress } from "./serve-egress.js";

/** What was asked of the network, and how much of it is not listed. */
export function requestsOf(egress: Egress | undefined): { requests: EgressRequest[]; requestsDropped: number } {
  if (egress === undefined) return { requests: [], requestsDropped: 0 };
  const { allowed, refused } = egress.dropped();
  return { requests: egress.requests(), requestsDropped: allowed + refused };
}
