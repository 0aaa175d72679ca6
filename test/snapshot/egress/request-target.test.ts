import { expect, test } from "vitest";
import { endToEndHeaders, requestHeaders } from "../../../src/snapshot/egress/forwarded-headers.js";
import { parseTarget } from "../../../src/snapshot/egress/request-target.js";

const head = (method: string, url: string, ...rawHeaders: string[]) => ({ method, url, rawHeaders });

test.each([
  [head("GET", "http://Example.COM/a?b", "Host", "example.com"), { host: "example.com", port: 80, path: "/a?b" }],
  [head("GET", "HTTP://example.com:8080", "host", "example.com:8080"), { host: "example.com", port: 8080, path: "/" }],
  [head("GET", "http://example.com?q=1", "Host", "example.com."), { host: "example.com", port: 80, path: "/?q=1" }],
  [head("GET", "http://[2606:4700::1111]:80/"), { host: "2606:4700::1111", port: 80, path: "/" }],
  [head("CONNECT", "example.com:443", "Host", "example.com"), { host: "example.com", port: 443, path: undefined }],
  [head("CONNECT", "example.com:443", "Host", "example.com:443"), { host: "example.com", port: 443, path: undefined }],
  [head("CONNECT", "[2606:4700::1111]:443"), { host: "2606:4700::1111", port: 443, path: undefined }],
])("reads %j", (request, target) => {
  expect(parseTarget(request)).toEqual(target);
});

test.each([
  ...[
    "/",
    "*",
    "",
    "example.com",
    "//example.com/",
    "https://example.com/",
    "ftp://example.com/",
    "ws://example.com/",
  ].map((url) => head("GET", url, "Host", "example.com")),
  ...[
    "http:///",
    "http://",
    "http://user@example.com/",
    "http://user:pw@example.com/",
    "http://example.com\\@evil.com/",
  ].map((url) => head("GET", url, "Host", "example.com")),
  ...[
    "http://example.com:/",
    "http://example.com:80:80/",
    "http://exa%6dple.com/",
    "http://example.com/#x",
    "http://127.1/",
  ].map((url) => head("GET", url, "Host", "example.com")),
  ...[
    "example.com",
    ":443",
    "example.com:",
    "example.com:0",
    "example.com:99999",
    "user@example.com:443",
    "example.com:443/",
  ].map((url) => head("CONNECT", url)),
  ...["http://example.com:443", "::1:443", "0x7f000001:443", "2130706433:443"].map((url) => head("CONNECT", url)),
  head("GET", "http://example.com/", "Host", "evil.com"),
  head("GET", "http://example.com/", "Host", "example.com:443"),
  head("GET", "http://example.com:8080/", "Host", "example.com"),
  head("GET", "http://example.com/", "Host", "example.com", "HOST", "example.com"),
  head("GET", "http://example.com/", "Host", ""),
  head("GET", "http://example.com/", "Host", "example.com, evil.com"),
  head("CONNECT", "example.com:443", "Host", "evil.com:443"),
  head("CONNECT", "example.com:443", "Host", "example.com:80"),
])("refuses %j", (request) => {
  expect(() => parseTarget(request)).toThrow(expect.objectContaining({ status: 400, forbidden: true }));
});

test("what is between the sandbox and the proxy alone goes no further", () => {
  expect(
    endToEndHeaders([
      ...["Accept", "*/*", "Connection", "X-Secret, keep-alive,content-length", "x-secret", "1", "Content-Length", "3"],
      ...["Proxy-Authorization", "Basic eA==", "Proxy-Connection", "keep-alive", "TE", "trailers", "Upgrade", "h2c"],
      ...[
        "Set-Cookie",
        "a",
        "Set-Cookie",
        "b",
        "Transfer-Encoding",
        "chunked",
        "Keep-Alive",
        "timeout=5",
        "Trailer",
        "x",
      ],
    ]),
  ).toEqual(["Accept", "*/*", "Content-Length", "3", "Set-Cookie", "a", "Set-Cookie", "b"]);
});

test("a request says anew whom it is for and how long it is", () => {
  const to = { host: "example.com", port: 8080 };
  const headersFor = (method: string, ...rawHeaders: string[]) => requestHeaders({ method, rawHeaders }, to);
  expect(headersFor("GET", "Host", "EXAMPLE.com:8080", "Transfer-Encoding", "chunked")).toEqual([
    ...["Host", "example.com:8080", "Transfer-Encoding", "chunked", "Connection", "close"],
  ]);
  expect(headersFor("POST")).toEqual(["Host", "example.com:8080", "Content-Length", "0", "Connection", "close"]);
  expect(headersFor("POST", "content-length", "5")).toEqual([
    ...["Host", "example.com:8080", "content-length", "5", "Connection", "close"],
  ]);
  expect(requestHeaders({ method: "GET", rawHeaders: [] }, { host: "2606:4700::1111", port: 80 })).toEqual([
    ...["Host", "[2606:4700::1111]", "Connection", "close"],
  ]);
});
