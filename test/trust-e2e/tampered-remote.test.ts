import { execFileSync } from "node:child_process";
import path from "node:path";
import { expect, test } from "vitest";
import { formatCommitPayload, formatSignedCommit } from "../../src/git/commit-object.js";
import { type Entry, formatEntryMessage, parseEntryMessage } from "../../src/operation/entry.js";
import { generateKey, kaiHome } from "../../src/trust/key-store.js";
import { openSigner, type Signer } from "../../src/trust/signer.js";
import { disproven, type Place, placeAt, refsOf, refused } from "../scenarios/place.js";
import { agentWithVersions } from "../support/agent.js";

interface Forgery {
  signer?: Signer | undefined;
  parents?: readonly string[];
  tree?: string;
  at?: Date;
  edit?: (entry: Entry) => Entry;
}

/** An agent that others clone, and its owner's signer. */
async function published(): Promise<{ place: Place; owner: Signer; stranger: Signer }> {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const home = path.join(path.dirname(agent.dir), "stranger");
  await generateKey({ home, name: "Eve", email: "eve@example.com", passphrase: undefined, at: new Date("2026-01-01") });
  return {
    place: placeAt(agent.dir, agent.env),
    owner: await openSigner({ home: kaiHome(agent.env), env: agent.env }),
    stranger: await openSigner({ home, env: agent.env }),
  };
}

const hashObject = (place: Place, type: string, content: Buffer | string): string =>
  execFileSync("git", ["hash-object", "-w", "-t", type, "--stdin"], {
    cwd: place.dir,
    env: place.env,
    input: content,
    encoding: "utf8",
  }).trim();

/** Adds an entry to the log: a copy of the newest one, forged as told. */
async function forge(place: Place, forgery: Forgery): Promise<void> {
  const head = place.git("rev-parse", "refs/kai/log");
  const parsed = parseEntryMessage(place.git("log", "-1", "--format=%B", head));
  if (!parsed) throw new Error("the log has no entry");
  const at = forgery.at ?? new Date("2026-06-01T00:00:00Z");
  const next: Entry = {
    ...parsed.entry,
    seq: parsed.entry.seq + 1,
    at: `${at.toISOString().slice(0, 19)}Z`,
    changes: [],
    current: { before: parsed.entry.current.after, after: parsed.entry.current.after },
    actor: { ...parsed.entry.actor, key: forgery.signer?.fingerprint ?? parsed.entry.actor.key },
  };
  const payload = formatCommitPayload({
    tree: forgery.tree ?? place.git("rev-parse", `${head}^{tree}`),
    parents: forgery.parents ?? [head],
    who: { name: "Ada Agent", email: "ada@example.com" },
    at,
    message: formatEntryMessage("forged", forgery.edit ? forgery.edit(next) : next),
  });
  const bytes = forgery.signer ? formatSignedCommit(payload, await forgery.signer.sign(payload, at), "sha1") : payload;
  place.git("update-ref", "refs/kai/log", hashObject(place, "commit", bytes));
}

/** The tree of the log's head with other text in its policy. */
function treeWithPolicy(place: Place, edit: (policy: string) => string): string {
  const policy = hashObject(place, "blob", edit(place.git("cat-file", "blob", "refs/kai/log:policy.json")));
  const listing = place
    .git("ls-tree", "refs/kai/log")
    .replace(/blob [0-9a-f]+\tpolicy\.json/, `blob ${policy}\tpolicy.json`);
  return execFileSync("git", ["mktree"], {
    cwd: place.dir,
    env: place.env,
    input: `${listing}\n`,
    encoding: "utf8",
  }).trim();
}

type Case = (remote: { place: Place; owner: Signer; stranger: Signer }) => Promise<void> | void;

const CASES: readonly [string, RegExp, Case][] = [
  ["an unsigned entry", /signature of entry \w+ is unsigned/, ({ place }) => forge(place, {})],
  ["an entry by a key of nobody", /is unknown-key/, ({ place, stranger }) => forge(place, { signer: stranger })],
  [
    "an entry that names another key than its signer's",
    /names another key/,
    ({ place, owner, stranger }) =>
      forge(place, {
        signer: owner,
        edit: (entry) => ({ ...entry, actor: { ...entry.actor, key: stranger.fingerprint } }),
      }),
  ],
  [
    "a changed policy",
    /changes the policy|policy of this agent/,
    ({ place, owner }) =>
      forge(place, { signer: owner, tree: treeWithPolicy(place, (policy) => policy.replaceAll("ada@", "eve@")) }),
  ],
  [
    "a policy with a stranger's key",
    /E121|policy|unknown-key/,
    ({ place, owner, stranger }) =>
      forge(place, {
        signer: stranger,
        tree: treeWithPolicy(place, (policy) => policy.replaceAll(owner.fingerprint, stranger.fingerprint)),
      }),
  ],
  [
    "a number left out",
    /out of order/,
    ({ place, owner }) => forge(place, { signer: owner, edit: (entry) => ({ ...entry, seq: entry.seq + 1 }) }),
  ],
  [
    "a time before the one it follows",
    /older than the one before it/,
    async ({ place, owner }) => {
      await forge(place, { signer: owner });
      await forge(place, { signer: owner, at: new Date("2026-05-01T00:00:00Z") });
    },
  ],
  [
    "an entry of another repository",
    /belongs to another repository/,
    ({ place, owner }) => forge(place, { signer: owner, edit: (entry) => ({ ...entry, repo: "0".repeat(32) }) }),
  ],
  [
    "two logs joined",
    /joins two logs/,
    ({ place, owner }) => {
      const [head, before] = ["refs/kai/log", "refs/kai/log~1"].map((ref) => place.git("rev-parse", ref));
      return forge(place, { signer: owner, parents: [head ?? "", before ?? ""] });
    },
  ],
  [
    "an entry left out",
    /does not go on|out of order|first entry/,
    ({ place, owner }) => forge(place, { signer: owner, parents: [place.git("rev-parse", "refs/kai/log~1")] }),
  ],
  [
    "a log that was rolled back",
    /not what its log says is in force/,
    ({ place }) => {
      place.git("update-ref", "refs/kai/log", "refs/kai/log~1");
    },
  ],
  [
    "a log that is no log",
    /is not an entry of it/,
    ({ place }) => {
      place.git("update-ref", "refs/kai/log", "HEAD");
    },
  ],
];

test.each(CASES)("a remote with %s is not adopted, and nothing changes", async (_, why, tamper) => {
  const remote = await published();
  await tamper(remote);
  const dir = path.join(path.dirname(remote.place.dir), "clone");
  remote.place.git("clone", "--quiet", remote.place.dir, dir);
  const clone = placeAt(dir, remote.place.env);
  const ours = () =>
    `${refsOf(clone, "refs/heads", "refs/tags", "refs/notes", "refs/kai/log")}\n${clone.git("status", "--porcelain")}`;
  const before = ours();
  expect(await refused(clone, "init")).toMatchObject({ code: "E121", message: expect.stringMatching(why), exit: 1 });
  expect(ours()).toBe(before);
  expect(clone.git("config", "--get-all", "remote.origin.fetch")).toBe("+refs/heads/*:refs/remotes/origin/*");
  // What happens to a clone of one's own is told by verify, and stops what would write.
  expect(await disproven(remote.place)).toContain(
    _ === "a log that was rolled back" ? "v1.0.0: log-not-trusted" : "log: E121",
  );
  expect((await refused(remote.place, "create", "--allow-unchanged")).code).toBe("E121");
});
