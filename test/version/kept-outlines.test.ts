import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { listRefs } from "../../src/git/refs.js";
import { openRepository } from "../../src/git/repository.js";
import { KeptLog } from "../../src/version/kept-log.js";
import { replacePieces } from "../../src/version/kept-pieces.js";
import { KeptTags } from "../../src/version/kept-tags.js";
import { type AgentHistory, readHistoryOf } from "../../src/version/reading.js";
import { refused, told } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";

const LOG = ".git/kai/cache/log";
const TAGS = ".git/kai/cache/tags-sha1";
const at = (agent: Agent, file: string): string => path.join(agent.dir, file);

/** All that a history says. */
function saidBy({ history, outline, pointer, hasLog }: AgentHistory) {
  const { versions, skipped, reserved, current, lastMove, log } = history;
  return {
    versions: versions.map(({ number, tag, tagId, commit, named, type, parent, hash, record, state, ...rest }) => ({
      ...{
        number,
        tag,
        tagId,
        commit,
        named,
        type,
        parent,
        hash,
        record,
        state,
        withdrawn: rest.withdrawn,
        standing: rest.standing,
      },
    })),
    told: versions.map(({ createdAt, createdBy, description, latin1 }) => [createdAt, createdBy, description, latin1]),
    byTag: versions.map(({ tagId }) => history.versionTagged(tagId)?.number.text),
    objects: versions.map(({ tag }) => [tag, history.tagObject(`refs/tags/${tag}`)]),
    firstCreated: history.findEntry(({ kind }) => kind === "create")?.commit,
    log: [...log],
    ...{ skipped, reserved, current, lastMove, pointer, hasLog, head: outline.head, made: outline.made },
  };
}

/** What is said with what is kept, which must be what is said without; twice, since the first time may write it anew. */
async function said(agent: Agent) {
  const repository = await openRepository(agent.dir, agent.env);
  const anew = saidBy(await readHistoryOf(repository, undefined, { anew: true }));
  expect(saidBy(await readHistoryOf(repository))).toEqual(anew);
  expect(saidBy(await readHistoryOf(repository))).toEqual(anew);
  // One version alone, before all are joined.
  const { history } = await readHistoryOf(repository);
  for (const { tagId } of anew.versions) {
    const [one, joined] = [history.versionTagged(tagId), anew.versions.find((each) => each.tagId === tagId)];
    expect(one).toMatchObject({ tag: joined?.tag, commit: joined?.commit, type: joined?.type });
  }
  return anew;
}

const keptOf = async (agent: Agent) => {
  const repository = await openRepository(agent.dir, agent.env);
  return { log: new KeptLog(repository), tags: new KeptTags(repository) };
};

test("history is the same from what is kept as from git, whatever was done since", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0");
  await said(agent);
  const { size } = statSync(at(agent, LOG));
  agent.git("tag", "v0.1.0");
  agent.git("tag", "-a", "-m", "another tool's", "v0.2.0");
  agent.git("tag", "-a", "-m", "a tag of a tag", "v0.3.0", "v0.2.0");
  agent.git("tag", "-a", "-m", "of a file", "v0.4.0", "HEAD:kai.yaml");
  agent.git("tag", "-a", "-m", "x".repeat(70_000), "v0.5.0");
  agent.git("tag", "-a", "-m", "no version", "größe");
  await told(agent, "promote", "1.2.0", "production", "--stability", "beta");
  const { operation } = await told(agent, "rollback", "1.0.0");
  await told(agent, "deprecate", "1.0.0", "--reason", "größer ist besser");
  await told(agent, "undo", operation);
  const { log, versions } = await said(agent);
  expect(versions.map(({ tag, standing }) => [tag, standing?.status]).slice(-3)).toEqual([
    ["v1.0.0", "deprecated"],
    ["v1.1.0", undefined],
    ["v1.2.0", "production"],
  ]);
  expect((await keptOf(agent)).log.head).toBe(log[0]?.commit);
  // What was kept is still there, and what came since behind it.
  expect(statSync(at(agent, LOG)).size).toBeGreaterThan(size);
  expect(statSync(at(agent, LOG)).size).toBeLessThan(3 * size);
  agent.git("tag", "-d", "v1.1.0");
  expect((await said(agent)).reserved.map(({ tag }) => tag)).toContain("v1.1.0");
});

test("entries and tags that are kept are not read again, but by verify", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0", "1.3.0");
  await told(agent, "list");
  const old = agent.git("rev-parse", "refs/kai/log~3");
  rmSync(at(agent, `.git/objects/${old.slice(0, 2)}/${old.slice(2)}`));
  expect((await told(agent, "list")).versions).toHaveLength(4);
  expect(await refused(agent, "verify")).toMatchObject({ code: "E121" });
  expect(await refused(agent, "verify", "--all", "--deep")).toMatchObject({ code: "E121" });
});

test("a tag whose object is gone is told although its bytes are kept", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await told(agent, "list");
  const gone = agent.git("rev-parse", "v1.0.0");
  rmSync(at(agent, `.git/objects/${gone.slice(0, 2)}/${gone.slice(2)}`));
  expect((await said(agent)).skipped).toMatchObject([{ tag: "v1.0.0" }]);
});

function change(file: string, from: string | RegExp, to: string): void {
  const text = readFileSync(file, "latin1");
  const changed = text.replace(from, to);
  expect(changed).not.toBe(text);
  writeFileSync(file, changed, "latin1");
}

/** Ways in which a file of the cache can be other than it was written. */
const DAMAGES: readonly [string, (file: string) => void][] = [
  ["gone", (file) => rmSync(file)],
  ["empty", (file) => truncateSync(file, 0)],
  ["torn at its end", (file) => truncateSync(file, statSync(file).size - 1)],
  ["torn in its first line", (file) => truncateSync(file, 9)],
  ["of another format", (file) => change(file, /\/\d /, "/9 ")],
  ["another in its first line", (file) => change(file, /\d+\n/, "7\n")],
  ["another in its index", (file) => change(file, /"(head|ids)":"./, '"$1":"_')],
  ["another in its body", (file) => change(file, /(?<=tagger |"name":")Ada/, "Eve")],
  ["zeros", (file) => writeFileSync(file, Buffer.alloc(statSync(file).size))],
  ["followed by something else", (file) => appendFileSync(file, "\nkai-kept-log/2 0 0")],
];

test.each(DAMAGES)("a file that is %s is made anew, and nobody is told", async (_, damage) => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const before = await said(agent);
  for (const file of [LOG, TAGS]) damage(at(agent, file));
  expect(await said(agent)).toEqual(before);
  agent.write("logic.py", "print(2)\n");
  agent.commit("feat: go on");
  expect((await told(agent, "create")).version).toBe("1.2.0");
  await said(agent);
  const { log, tags } = await keptOf(agent);
  expect(log.head).toBe(agent.git("rev-parse", "refs/kai/log"));
  expect(tags.has(agent.git("rev-parse", "v1.2.0"))).toBe(true);
});

test("where a folder is in the way of a file, nothing is kept and nobody is told", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  for (const file of [LOG, TAGS]) {
    rmSync(at(agent, file));
    mkdirSync(at(agent, file));
  }
  await said(agent);
  await told(agent, "undo");
  await said(agent);
});

test("what another repository kept is not taken for this one's", async () => {
  const [agent, other] = [await agentWithVersions("1.0.0"), await agentWithVersions("1.0.0", "1.1.0", "1.2.0")];
  const before = await said(agent);
  await told(other, "list");
  for (const file of [LOG, TAGS]) writeFileSync(at(agent, file), readFileSync(at(other, file)));
  expect(await said(agent)).toEqual(before);
});

test("a log that was rolled back below what is kept, or replaced, is read anew", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0");
  await said(agent);
  const head = agent.git("rev-parse", "refs/kai/log");
  agent.git("update-ref", "refs/kai/log", "refs/kai/log~2");
  expect((await said(agent)).current?.version).toBe("1.0.0");
  expect((await keptOf(agent)).log.head).toBe(agent.git("rev-parse", "refs/kai/log"));
  expect(await refused(agent, "create", "--as", "3.0.0")).toMatchObject({ code: "E121" });
  const [tree, message] = [`${head}~1^{tree}`, agent.git("log", "-1", "--format=%B", `${head}~1`)];
  agent.git("update-ref", "refs/kai/log", agent.git("commit-tree", "-p", "refs/kai/log", "-m", message, tree));
  expect((await said(agent)).current?.version).toBe("1.1.0");
  agent.git("update-ref", "refs/kai/log", head);
  expect((await said(agent)).current?.version).toBe("1.2.0");
  agent.git("update-ref", "-d", "refs/kai/log");
  expect((await said(agent)).hasLog).toBe(false);
});

test("a tag that was moved is the other one, under the same name as before", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await said(agent);
  const [first, second] = [agent.git("rev-parse", "v1.0.0"), agent.git("rev-parse", "v1.1.0")];
  const named = async () => (await said(agent)).versions.map(({ tag, tagId, named }) => [tag, tagId, named]);
  agent.git("update-ref", "refs/tags/v1.0.0", second);
  expect(await named()).toEqual([
    ["v1.0.0", second, "v1.1.0"],
    ["v1.1.0", second, "v1.1.0"],
  ]);
  agent.git("tag", "--force", "-a", "-m", "another", "v1.0.0");
  const moved = agent.git("rev-parse", "v1.0.0");
  expect(await named()).toEqual([
    ["v1.0.0", moved, "v1.0.0"],
    ["v1.1.0", second, "v1.1.0"],
  ]);
  expect((await agent.kai("verify", "1.0.0")).exit).toBe(1);
  agent.git("update-ref", "refs/tags/v1.0.0", first);
  expect((await agent.kai("verify", "1.0.0")).exit).toBe(0);
});

test("bytes that somebody puts under the id of a tag are not that tag", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const before = await said(agent);
  const repository = await openRepository(agent.dir, agent.env);
  const refs = (await listRefs(repository, ["refs/tags/v*"])).map(({ id }) => id);
  const body = readFileSync(at(agent, TAGS), "latin1");
  const forged = Buffer.from(agent.git("cat-file", "tag", "v1.0.0").replace("tag v1.0.0", "tag v6.6.6"));
  expect(body).toContain("tag v1.0.0");
  const index = { ids: refs.join(""), sizes: refs.map(() => forged.length) };
  await replacePieces(at(agent, TAGS), "kai-kept-tags/1", { index, body: Buffer.concat(refs.map(() => forged)) });
  expect(await said(agent)).toEqual(before);
  expect((await told(agent, "list")).versions).toHaveLength(2);
});

test("verify believes nothing of the log that somebody forged", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await told(agent, "list");
  const { log } = await keptOf(agent);
  const [part] = log.parts;
  if (part === undefined) throw new Error("nothing is kept");
  await log.replace({ ...part, index: { ...part.index, made: "\nv9.9.9 9.9.9\n", current: null } });
  // As whoever may write there could also forge the pin.
  expect((await told(agent, "next")).version).not.toBe("1.2.0");
  for (const args of [["--all"], ["--all", "--deep"]]) {
    expect(await told(agent, "verify", ...args)).toMatchObject({ ok: true, total: 2 });
  }
});

test("nothing of a note is kept: one that is edited afterwards is told", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await told(agent, "list");
  expect((await agent.kai("verify", "1.0.0")).exit).toBe(0);
  agent.git("notes", "--ref=kai", "add", "--force", "-m", '{"format":"kai-record/1"}', "v1.0.0^{commit}");
  const { exit, stdout } = await agent.kai("verify", "1.0.0", "--json");
  expect([exit, JSON.parse(stdout).versions[0].problems.length > 0]).toEqual([1, true]);
});

test("commands at the same time keep what one alone would", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("logic.py", "print(2)\n");
  agent.commit("feat: go on");
  rmSync(at(agent, ".git/kai/cache"), { recursive: true });
  const lists = () => Array.from({ length: 3 }, () => agent.kai("list", "--json"));
  const ran = await Promise.all([...lists(), agent.kai("create", "--as", "2.0.0"), ...lists()]);
  expect(ran.map(({ exit }) => exit)).toEqual(ran.map(() => 0));
  await Promise.all(lists());
  await said(agent);
  // Two that saw the same both add it.
  agent.write("logic.py", "print(3)\n");
  agent.commit("feat: go on");
  await told(agent, "create", "--as", "3.0.0");
  const before = await Promise.all([keptOf(agent), keptOf(agent)]);
  const repository = await openRepository(agent.dir, agent.env);
  const read = await readHistoryOf(repository);
  const [part] = (await keptOf(agent)).log.parts;
  if (part === undefined) throw new Error("nothing is kept");
  for (const { log } of before) await log.add(part);
  expect((await keptOf(agent)).log.head).toBe(read.outline.head);
  await said(agent);
});

test("many pieces become one again", async () => {
  const agent = await agentWithVersions("1.0.0");
  await said(agent);
  const pieces = () => readFileSync(at(agent, LOG), "latin1").split("\nkai-kept-log/2 ").length - 1;
  const message = agent.git("log", "-1", "--format=%B", "refs/kai/log");
  const repository = await openRepository(agent.dir, agent.env);
  const counts: number[] = [];
  for (let turn = 0; turn < 70; turn++) {
    const args = ["commit-tree", "-p", "refs/kai/log", "-m", message, "refs/kai/log^{tree}"];
    agent.git("update-ref", "refs/kai/log", agent.git(...args));
    await readHistoryOf(repository);
    counts.push(pieces());
  }
  expect(Math.max(...counts)).toBe(64);
  expect(counts.at(-1)).toBeLessThan(10);
  expect((await said(agent)).log).toHaveLength(72);
});

test("a .git that cannot be written is read all the same", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const before = (await told(agent, "list")).versions;
  rmSync(at(agent, ".git/kai/cache"), { recursive: true });
  const program = path.resolve(import.meta.dirname, "../../bin/git-kai-version");
  const script = `mount --bind "$PWD" "$PWD" && mount -o remount,bind,ro "$PWD" && cd "$PWD" && exec "$@"`;
  const args = ["--mount", "sh", "-c", script, "sh", process.execPath, program, "list", "--json"];
  const ran = await agent.run("unshare", args);
  expect(ran.stderr).toBe("");
  expect(ran.json().versions.map(({ tag }: { tag: string }) => tag)).toEqual(
    before.map(({ tag }: { tag: string }) => tag),
  );
  expect(existsSync(at(agent, ".git/kai/cache"))).toBe(false);
});

test("of a shallow clone's log nothing is kept: older entries may come yet", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0");
  rmSync(at(agent, ".git/kai/cache"), { recursive: true });
  agent.write(".git/shallow", `${agent.git("rev-parse", "refs/kai/log~1")}\n`);
  expect((await said(agent)).log).toHaveLength(2);
  expect(existsSync(at(agent, LOG))).toBe(false);
  agent.remove(".git/shallow");
  expect((await said(agent)).log).toHaveLength(4);
});
