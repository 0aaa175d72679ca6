import { expect, test } from "vitest";
import type { History, KnownVersion } from "../../src/version/history.js";
import { type ListRequest, listVersions } from "../../src/version/list.js";
import { parseNumber } from "../../src/version/number.js";
import { listOperations } from "../../src/version/operations.js";
import type { Standing, Status } from "../../src/version/standing.js";
import type { TagName } from "../../src/version/tag-name.js";
import { versionTree } from "../../src/version/version-tree.js";

function version(text: string, parent: string | null, day: number, more: Partial<KnownVersion> = {}): KnownVersion {
  return {
    number: parseNumber(text),
    tag: `v${text}` as TagName,
    tagId: `tag of ${text}`,
    commit: `commit of ${text}`,
    type: "auto",
    named: `v${text}`,
    parent,
    hash: null,
    record: null,
    state: null,
    createdAt: new Date(`2026-01-${String(day).padStart(2, "0")}T00:00:00Z`),
    createdBy: "Ada <ada@example.com>",
    description: text,
    withdrawn: false,
    standing: null,
    latin1: "a tag",
    ...more,
  };
}

const HISTORY: History = {
  versions: [
    version("0.9.0", null, 1, { type: "foreign", latin1: undefined, createdAt: null, createdBy: null }),
    version("1.0.0", null, 2),
    version("1.0.1", "1.0.0", 6, { type: "manual", createdBy: "Zoë <zoe@example.com>" }),
    version("1.1.0", "1.0.0", 3, { withdrawn: true }),
    version("2.0.0", "1.1.0", 4, { type: "release" }),
  ],
  skipped: [{ tag: "nightly", reason: "does not fit tag_format v{version}" }],
  reserved: [],
  current: { version: "2.0.0", tag: "tag of 2.0.0", pointer: "p" },
  lastMove: undefined,
  log: [],
  versionTagged: () => undefined,
  findEntry: () => undefined,
  tagObject: () => undefined,
};

const ALL: ListRequest = {
  type: undefined,
  status: undefined,
  since: undefined,
  until: undefined,
  match: undefined,
  sort: "version",
  ascending: false,
  limit: undefined,
  offset: 0,
};

const listed = (request: Partial<ListRequest>): string[] =>
  listVersions(HISTORY, { ...ALL, ...request }, () => "unchecked").versions.map((each) => each.version);

test("all of them, the highest first", () => {
  expect(listed({})).toEqual(["2.0.0", "1.1.0", "1.0.1", "1.0.0", "0.9.0"]);
});

test.each([
  [{ type: "manual" }, ["1.0.1"]],
  [{ type: "foreign" }, ["0.9.0"]],
  [{ status: "withdrawn" as const }, ["1.1.0"]],
  [{ status: "active" as const, type: "auto" }, ["1.0.0"]],
  [{ since: new Date("2026-01-04T00:00:00Z") }, ["2.0.0", "1.0.1"]],
  [{ until: new Date("2026-01-03T00:00:00Z") }, ["1.1.0", "1.0.0"]],
  [{ match: "1.0.*" }, ["1.0.1", "1.0.0"]],
  [{ match: "v2.?.0" }, ["2.0.0"]],
  [{ match: "1.0.(" }, []],
  [{ match: "1.[01].0" }, ["1.1.0", "1.0.0"]],
  [{ match: "v[!1]*" }, ["2.0.0", "0.9.0"]],
  [{ match: "[1-2].[0-9].0" }, ["2.0.0", "1.1.0", "1.0.0"]],
  [{ match: "[2-1].0.0" }, []],
  [{ match: "[" }, []],
  [{ sort: "date" as const }, ["1.0.1", "2.0.0", "1.1.0", "1.0.0", "0.9.0"]],
  [{ sort: "type" as const, ascending: true }, ["1.0.0", "1.1.0", "0.9.0", "1.0.1", "2.0.0"]],
  [{ sort: "author" as const, limit: 1 }, ["1.0.1"]],
  [{ ascending: true }, ["0.9.0", "1.0.0", "1.0.1", "1.1.0", "2.0.0"]],
  [{ limit: 2, offset: 1 }, ["1.1.0", "1.0.1"]],
  [{ offset: 9 }, []],
  [{ limit: 0 }, []],
])("%j gives %j", (request, expected) => {
  expect(listed(request)).toEqual(expected);
});

test("what is told of a page, and of each version", () => {
  const list = listVersions(HISTORY, { ...ALL, match: "1.*", limit: 1 }, ({ tagId }) => `known of ${tagId}`);
  expect(list).toMatchObject({ total: 5, filtered: 3, skipped: [{ tag: "nightly" }] });
  expect(list.versions[0]).toEqual({
    version: "1.1.0",
    tag: "v1.1.0",
    commit: "commit of 1.1.0",
    hash: null,
    parent: "1.0.0",
    type: "auto",
    status: "withdrawn",
    standing: null,
    createdAt: "2026-01-03T00:00:00.000Z",
    createdBy: "Ada <ada@example.com>",
    description: "1.1.0",
    current: false,
    signature: "known of tag of 1.1.0",
  });
});

test("what was said of versions filters them; active are all that may be used", () => {
  const standing = (status: Status): Standing => ({
    status,
    stability: null,
    reason: null,
    since: "2026-03-02T09:00:00Z",
  });
  const history: History = {
    ...HISTORY,
    versions: [
      version("1.0.0", null, 1, { standing: standing("archived") }),
      version("1.1.0", null, 2, { standing: standing("deprecated"), withdrawn: true }),
      version("1.2.0", null, 3, { standing: standing("production"), withdrawn: true }),
      version("1.3.0", null, 4, { standing: standing("production") }),
      version("1.4.0", null, 5),
    ],
  };
  const all = listVersions(history, ALL, () => "unchecked").versions.map(({ status }) => status);
  expect(all).toEqual(["active", "production", "withdrawn", "withdrawn", "archived"]);
  const of = (status: ListRequest["status"]) =>
    listVersions(history, { ...ALL, status }, () => "unchecked").versions.map((each) => each.version);
  expect(of("active")).toEqual(["1.4.0", "1.3.0"]);
  expect(of("production")).toEqual(["1.3.0"]);
  expect(of("withdrawn")).toEqual(["1.2.0", "1.1.0"]);
  expect(of("deprecated")).toEqual(["1.1.0"]);
  expect(of("archived")).toEqual(["1.0.0"]);
  expect(of("development")).toEqual([]);
});

test("a lightweight tag is unsigned without being asked about", () => {
  const [foreign] = listVersions(HISTORY, { ...ALL, type: "foreign" }, () => "unchecked").versions;
  expect(foreign?.signature).toBe("unsigned");
});

const parents = new Map(HISTORY.versions.map(({ number, parent }) => [number.text, parent]));

/** The tree of what a request lists, a line each. */
function drawn(request: Partial<ListRequest> = {}): string {
  const { versions } = listVersions(HISTORY, { ...ALL, ascending: true, ...request }, () => "unchecked");
  const lines = versionTree(versions, parents).map(({ lead, version }) => lead + version.version);
  return lines.join("\n");
}

test("each version stands under its parent, and what has none at the left", () => {
  expect(drawn()).toMatchInlineSnapshot(`
    "0.9.0
    1.0.0
    ├─ 1.0.1
    └─ 1.1.0
       └─ 2.0.0"
  `);
});

test("a version whose parent is not shown stands under the nearest one before it that is", () => {
  expect(drawn({ status: "active" })).toMatchInlineSnapshot(`
    "0.9.0
    1.0.0
    ├─ 1.0.1
    └┄ 2.0.0"
  `);
  expect(drawn({ type: "release" })).toBe("2.0.0");
});

test("ten thousand versions in a row are drawn, none too far to the right", () => {
  const [first] = listVersions(HISTORY, ALL, () => "unchecked").versions;
  if (!first) throw new Error("no version");
  const line = Array.from({ length: 10_000 }, (_, index) => ({
    ...first,
    version: `1.0.${index}`,
    parent: index === 0 ? null : `1.0.${index - 1}`,
  }));
  const lines = versionTree(line);
  expect(lines.map(({ version }) => version.version)).toEqual(line.map(({ version }) => version));
  expect(Math.max(...lines.map(({ lead }) => lead.length))).toBeLessThan(40);
  expect(lines.find(({ after }) => after !== null)).toMatchObject({ lead: "", after: "1.0.12" });
});

test("versions that say to be each other's parents are shown all the same", () => {
  const [first] = listVersions(HISTORY, ALL, () => "unchecked").versions;
  if (!first) throw new Error("no version");
  const [one, two] = [
    { ...first, version: "1.0.0", parent: "2.0.0" },
    { ...first, version: "2.0.0", parent: "1.0.0" },
  ];
  expect(versionTree([one, two]).map(({ lead, version }) => lead + version.version)).toEqual(["1.0.0", "└─ 2.0.0"]);
  expect(
    versionTree(
      [one],
      new Map([
        ["1.0.0", "2.0.0"],
        ["2.0.0", "1.0.0"],
      ]),
    ),
  ).toHaveLength(1);
});

test("operations are filtered by kind and by moment", () => {
  const at = (kind: "init" | "create", time: string, seq: number) => ({
    format: "kai-operation/1" as const,
    id: String(seq),
    repo: "",
    seq,
    kind,
    actor: { name: "", email: "", key: "" },
    at: time,
    changes: [],
    current: { before: null, after: null },
    withdrawn: [],
    restored: [],
    details: {},
    commit: "",
    parents: [],
    subject: "",
  });
  const log = [
    at("create", "2026-01-03T00:00:00Z", 2),
    at("create", "2026-01-02T00:00:00Z", 1),
    at("init", "2026-01-01T00:00:00Z", 0),
  ];
  const ids = (filter: Partial<Parameters<typeof listOperations>[1]>) =>
    listOperations(log, { kind: undefined, at: undefined, limit: undefined, ...filter }).map(({ seq }) => seq);
  expect(ids({})).toEqual([2, 1, 0]);
  expect(ids({ kind: "create", limit: 1 })).toEqual([2]);
  expect(ids({ at: new Date("2026-01-02T12:00:00Z") })).toEqual([1, 0]);
});
