import { PUBLIC } from "./outside.js";
import type { Tried } from "./sandboxed-agent.js";

const refused = (names: string): Record<string, string> =>
  Object.fromEntries(names.split(" ").map((name) => [`CONNECT ${name}`, "HTTP/1.1 403 Forbidden"]));

/** What comes of everything that `attempts.py` tries, in a rootful sandbox and a rootless one alike. */
export const EXPECTED = {
  seen: {
    allowed: "the data",
    "allowed through a tunnel": "ping",
    links: ["lo"],
    routes: 0,
    "tcp to an address": "ENETUNREACH",
    "tcp to the allowed host's address": "ENETUNREACH",
    "tcp to the host's loopback": "ECONNREFUSED",
    "tcp to an address of this machine": "ENETUNREACH",
    "tcp over IPv6": "ENETUNREACH",
    "tcp over mapped IPv6": "ENETUNREACH",
    udp: "ENETUNREACH",
    "udp over IPv6": "ENETUNREACH",
    quic: "ENETUNREACH",
    multicast: "ENETUNREACH",
    broadcast: "ENETUNREACH",
    dns: "no such name",
    "dns over tcp": "ENETUNREACH",
    "dns of the host": "ECONNREFUSED",
    metadata: "ENETUNREACH",
    "raw socket": "EPERM",
    "ping socket": "EACCES",
    "packet socket": "EAFNOSUPPORT",
    vsock: "EAFNOSUPPORT",
    "alg socket": "EAFNOSUPPORT",
    "change of a link": "EPERM",
    "abstract socket of the host": "ECONNREFUSED",
    "socket file of the host": "ENOENT",
    ...refused(
      "api.example.com:22 api.example.com:8443 evil.test:443 api.example.com.evil.test:443 private.example.com:443 " +
        "loopback.example.com:443 six.example.com:443 local.example.com:443 mapped.example.com:443 metadata.example.com:443 " +
        "mixed.example.com:443 127.0.0.1:443 [::1]:443 169.254.169.254:80 93.184.216.34:443 localhost:22",
    ),
    "CONNECT 0x7f.1:80": "HTTP/1.1 400 Bad Request",
    "GET http://evil.test/": 403,
    "GET http://metadata.example.com/latest/meta-data/": 403,
    "GET http://127.0.0.2/": 403,
    "GET http://private.example.com/": 403,
    "GET http://93.184.216.34/": 403,
    "GET http://api.example.com:8080/": 403,
    "GET http://api.example.com/redirect": 403,
    "GET https://evil.test/": "Tunnel connection failed: 403 Forbidden",
    "Host against URL": "HTTP/1.1 400 Bad Request",
    "URL against Host": "HTTP/1.1 400 Bad Request",
    "two Hosts": "HTTP/1.1 400 Bad Request",
    "path alone": "HTTP/1.1 400 Bad Request",
    "length and encoding": "HTTP/1.1 400 Bad Request",
    "folded header": "HTTP/1.1 400 Bad Request",
    "huge header": "HTTP/1.1 431 Request Header Fields Too Large",
    socks: "HTTP/1.1 400 Bad Request",
    noise: "HTTP/1.1 400 Bad Request",
    "first 900 connections": "the rest was closed",
    "second 900 connections": "the rest was closed",
    "third 900 connections": "the rest was closed",
    "allowed at the end": "the data",
  },
  summary: {
    // The fetch, the tunnel, the answer that leads elsewhere, and the fetch at the end.
    connected: [`${PUBLIC}:80`, `${PUBLIC}:443`, `${PUBLIC}:80`, `${PUBLIC}:80`],
    served: ["GET api.example.com/data", "GET api.example.com/redirect", "GET api.example.com/data"],
    allowed: [
      "GET api.example.com:80",
      "CONNECT api.example.com:443",
      "GET api.example.com:80",
      "GET api.example.com:80",
    ],
    // 17 tunnels, 8 URLs and where one of them redirects to, less the answer that did, and 9 by hand.
    refused: 17 + 8 + 9,
    // All but 128 of each 900, and those that came while the ones before were not seen to have ended.
    crowded: true,
    unexplained: [],
  },
};

export function summaryOf({ requests, dropped, connected, served }: Tried): typeof EXPECTED.summary {
  const allowed = requests.filter((each) => each.allowed);
  const others = requests.filter((each) => !each.allowed);
  const one = others.filter(({ reason }) => reason !== "more than 128 connections at once");
  return {
    connected,
    served,
    allowed: allowed.map(({ method, host, port }) => `${method} ${host}:${port}`),
    refused: one.length,
    crowded: others.length - one.length + dropped.refused >= 3 * (900 - 128),
    unexplained: others.filter(({ reason, address }) => reason === null || address !== null) as [],
  };
}
