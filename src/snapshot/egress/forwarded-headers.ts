import type { Destination } from "../../system/host-name.js";
import { valuesOf } from "./request-target.js";

// RFC 9110, 7.6.1, and what clients say to a proxy alone.
const HOP_BY_HOP = new Set([
  "connection",
  "expect",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
const HTTP_PORT = 80;
/** Methods whose request has a body, be it an empty one. */
const WITH_BODY = new Set(["POST", "PUT", "PATCH"]);

/** Headers that are for whoever the message is for, names and values in turn; those that `Connection` names are not. */
export function endToEndHeaders(rawHeaders: readonly string[]): string[] {
  const named = valuesOf(rawHeaders, "connection").flatMap((value) => value.toLowerCase().split(/[\s,]+/));
  const dropped = new Set([...HOP_BY_HOP, ...named]);
  // How long the message is stays with it, whatever Connection says.
  dropped.delete("content-length");
  return rawHeaders.filter((_, index) => !dropped.has((rawHeaders[index - (index % 2)] ?? "").toLowerCase()));
}

/**
 * The headers of the request that the proxy makes of one that it got. How the body is framed is said anew: Node's own choice would send
 * the body of a GET unframed, as requests of its own.
 */
export function requestHeaders(
  { method, rawHeaders }: { method: string; rawHeaders: readonly string[] },
  { host, port }: Destination,
): string[] {
  const kept = endToEndHeaders(rawHeaders);
  const others = kept.filter((_, index) => (kept[index - (index % 2)] ?? "").toLowerCase() !== "host");
  const chunked = valuesOf(rawHeaders, "transfer-encoding").length > 0;
  const empty = !chunked && valuesOf(rawHeaders, "content-length").length === 0 && WITH_BODY.has(method);
  const name = host.includes(":") ? `[${host}]` : host;
  return [
    ...["Host", port === HTTP_PORT ? name : `${name}:${port}`],
    ...others,
    ...(chunked ? ["Transfer-Encoding", "chunked"] : []),
    ...(empty ? ["Content-Length", "0"] : []),
    ...["Connection", "close"],
  ];
}
