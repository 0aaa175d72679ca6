import { type Destination, formatDestination, parseAuthority } from "../../system/host-name.js";
import { Refusal } from "./refusal.js";

/** A request's first line and headers, as Node's strict parser gives them. */
export interface RequestHead {
  method: string;
  url: string;
  rawHeaders: readonly string[];
}

/** What a request to a proxy asks for. */
export interface RequestTarget extends Destination {
  /** Path and query for the server itself; undefined of CONNECT. */
  path: string | undefined;
}

const HTTP_PORT = 80;
const MOST_HEADERS = 500;
const ABSOLUTE = /^http:\/\/([^/?#]*)(\/[^#]*|\?[^#]*)?$/i;

/** Reads where a request goes; its Host header must say the same. Throws a refusal for any doubt. */
export function parseTarget(head: RequestHead): RequestTarget {
  if (head.rawHeaders.length > 2 * MOST_HEADERS) throw new Refusal(431, `more than ${MOST_HEADERS} headers`);
  const connect = head.method === "CONNECT";
  const target = connect ? connectTarget(head.url) : httpTarget(head.url);
  requireSameHost(head, target, connect ? target.port : HTTP_PORT);
  requireKnownLength(head);
  return target;
}

function connectTarget(url: string): RequestTarget {
  const authority = parseAuthority(url);
  if (authority?.port === undefined) throw new Refusal(400, "CONNECT names no host and port");
  return { host: authority.host, port: authority.port, path: undefined };
}

function httpTarget(url: string): RequestTarget {
  const [, written, path = "/"] = ABSOLUTE.exec(url) ?? [];
  if (written === undefined)
    throw new Refusal(400, "a request to a proxy names http://host/path, and CONNECT is for TLS");
  const authority = parseAuthority(written);
  if (!authority) throw new Refusal(400, "the URL names no host");
  return {
    host: authority.host,
    port: authority.port ?? HTTP_PORT,
    path: path.startsWith("?") ? `/${path}` : path,
  };
}

function requireSameHost({ method, rawHeaders }: RequestHead, target: RequestTarget, defaultPort: number): void {
  const hosts = valuesOf(rawHeaders, "host");
  if (hosts.length > 1) throw new Refusal(400, "more than one Host header");
  const [written] = hosts;
  // HTTP/1.0 has none; without it there is nothing that could differ.
  if (written === undefined) return;
  const { host, port = defaultPort } = parseAuthority(written) ?? {};
  if (host === target.host && port === target.port) return;
  throw new Refusal(
    400,
    `the Host header differs from the ${method === "CONNECT" ? "target" : "URL"}, ${formatDestination(target)}`,
  );
}

/** Whoever comes next has to see the same end of the body as the parser here. */
function requireKnownLength({ rawHeaders }: RequestHead): void {
  const encodings = valuesOf(rawHeaders, "transfer-encoding");
  if (encodings.length === 0 || (encodings.length === 1 && encodings[0]?.toLowerCase() === "chunked")) return;
  throw new Refusal(501, "a Transfer-Encoding other than chunked");
}

/** All values of a header; `rawHeaders` has names and values in turn. */
export const valuesOf = (rawHeaders: readonly string[], name: string): string[] =>
  rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
