import { domainToASCII } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { allows, parseAllowList } from "../../../src/snapshot/egress/allow-list.js";
import { normaliseHost, parseAuthority } from "../../../src/system/host-name.js";

const allowed = (entries: string[], ...destinations: string[]) => {
  const list = parseAllowList(entries);
  return destinations.filter((written) => {
    const { host, port } = parseAuthority(written) ?? {};
    return host !== undefined && port !== undefined && allows(list, { host, port });
  });
};

test("a name is allowed on the ports of the web, with a port on that one, and below itself by a star", () => {
  expect(
    allowed(
      ["api.example.com", "*.example.org", "db.example.net:5432"],
      ...[
        "api.example.com:443",
        "api.example.com:80",
        "api.example.com:8443",
        "example.com:443",
        "x.api.example.com:443",
      ],
      ...[
        "a.example.org:443",
        "a.b.example.org:80",
        "example.org:443",
        "evilexample.org:443",
        "a.example.org.evil.com:443",
      ],
      ...["db.example.net:5432", "db.example.net:443"],
    ),
  ).toEqual([
    "api.example.com:443",
    "api.example.com:80",
    "a.example.org:443",
    "a.b.example.org:80",
    "db.example.net:5432",
  ]);
});

test("case, a last dot and IDNA make no difference", () => {
  expect(
    allowed(["API.Example.COM.", "bücher.example"], "api.example.com:443", "xn--bcher-kva.example:443"),
  ).toHaveLength(2);
  expect(
    allowed(["api.example.com"], "API.EXAMPLE.COM:443", "api.example.com.:443", "api.example.com..:443"),
  ).toHaveLength(2);
});

test("an address is allowed only where it is listed as such", () => {
  expect(
    allowed(["93.184.216.34", "[2606:4700::1111]:853"], "93.184.216.34:443", "[2606:4700:0::1111]:853"),
  ).toHaveLength(2);
  expect(allowed(["*.example.com"], "93.184.216.34:443", "[2606:4700::1111]:443")).toEqual([]);
});

test.each([
  ...[
    "",
    "*",
    "*.",
    "*.*.com",
    "a..com",
    ".com",
    "-a.com",
    "a-.com",
    "a b.com",
    "a.com/",
    "http://a.com",
    "user@a.com",
    "a.com:0",
  ],
  ...[
    "a.com:65536",
    "a.com:",
    "a.com:+443",
    "1.2.3",
    "1.2.3.4.5",
    "0x7f.1",
    "127.1",
    "2130706433",
    "010.0.0.1",
    "*.34",
    "*.10.0.0.1",
  ],
  ...["::1", "[::1", "[fe80::1%25eth0]", "fe80::1%eth0", "a%2ecom", "a\u0000.com", "a.com\n", "[::ffff:1.2.3.4.5]"],
])("%j is no host", (entry) => {
  expect(() => parseAllowList([entry])).toThrow(expect.objectContaining({ code: "E106" }));
});

const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}[a-z0-9]$/);
const name = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join("."));
const mixedCase = (text: string) =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((upper) => [...text].map((char, index) => (upper[index] ? char.toUpperCase() : char)).join(""));

test("only what is equal, or below a star, is ever allowed", () => {
  fc.assert(
    fc.property(name, name, fc.integer({ min: 1, max: 65_535 }), (listed, asked, port) => {
      const list = parseAllowList([listed, `*.${listed}`, `${listed}:8443`]);
      const web = port === 80 || port === 443;
      const equal = asked === listed && (web || port === 8443);
      const below = asked.endsWith(`.${listed}`) && web;
      return allows(list, { host: asked, port }) === (equal || below);
    }),
  );
});

test("however a listed name is written, it is the same", () => {
  fc.assert(
    fc.property(
      name.chain((listed) => fc.tuple(fc.constant(listed), mixedCase(listed), fc.constantFrom("", "."))),
      ([listed, written, dot]) => {
        const authority = parseAuthority(`${written}${dot}:443`);
        return authority?.host === listed && allows(parseAllowList([listed]), { host: authority.host, port: 443 });
      },
    ),
  );
});

test("a name that has been put in its form stays in it, and holds nothing that another parser would cut", () => {
  const words = fc.oneof(
    fc.string({ unit: "binary", maxLength: 30 }),
    fc.webUrl(),
    fc.ipV4Extended(),
    fc.ipV6(),
    fc.domain(),
  );
  fc.assert(
    fc.property(words, (written) => {
      const host = normaliseHost(written);
      if (host === undefined) return true;
      const isSame =
        new URL(`http://${host.includes(":") ? `[${host}]` : host}/`).hostname.replace(/^\[|\]$/g, "") === host;
      return isSame && normaliseHost(host) === host && /^[a-z0-9._:-]+$/.test(host);
    }),
    { numRuns: 3000 },
  );
});

test("IDNA is that of the platform", () => {
  for (const written of ["Straße.example", "faß.de", "日本語.jp", "Ⅷ.example"]) {
    expect(normaliseHost(written)).toBe(domainToASCII(written));
  }
  expect(normaliseHost("１２７.0.0.1")).toBe("127.0.0.1");
});
