import { formatCommitPayload, formatSignedCommit } from "../../src/git/commit-object.js";
import { makeObject, makeTrees } from "../../src/git/object.js";
import { openRepository, type Repository } from "../../src/git/repository.js";
import { runGit } from "../../src/git/run-git.js";
import { writeObjects } from "../../src/git/write-objects.js";
import { type Entry, formatEntryMessage, LOG_REF } from "../../src/operation/entry.js";
import { formatPolicy, foundingPolicy, type Policy } from "../../src/trust/policy.js";
import type { Signer } from "../../src/trust/signer.js";
import { scratch } from "../support/scratch.js";
import { AT } from "./signing.js";

export interface HandMadeEntry {
  readonly signer: Signer;
  readonly parents?: readonly string[];
  /** What is otherwise than in an entry that founds a log. */
  readonly entry?: Partial<Entry>;
  /** What is done to the message before it is signed. */
  readonly edit?: (message: string) => string;
  /** Default: the signer's own. */
  readonly policy?: Policy;
  /** When; default: the tests' usual moment. */
  readonly at?: Date;
  /** Whose keys lie beside the policy; default: the signer's. */
  readonly keys?: readonly Signer[];
}

/** An empty repository for a log made by hand. */
export async function emptyRepository(): Promise<Repository> {
  const { dir, env } = scratch();
  const bare = { gitDir: dir, commonDir: dir, workTree: undefined, bare: true, shallow: false } as const;
  await runGit({ ...bare, objectFormat: "sha1", plain: false, env: { ...env, GIT_DIR: dir }, callerEnv: env }, [
    "init",
    "--quiet",
    "--bare",
    dir,
  ]);
  return openRepository(dir, env);
}

/** Writes an entry and makes it the log's newest, whatever it says; gives its id. */
export async function addEntry(repository: Repository, made: HandMadeEntry): Promise<string> {
  const { signer, parents = [], edit = (message) => message, keys = [signer], at = AT } = made;
  const entry: Entry = {
    format: "kai-operation/1",
    id: "01EZ02PM0039YHTP3KX5CYNSJX",
    repo: "0123456789abcdef".repeat(2),
    seq: parents.length,
    kind: "init",
    actor: { name: signer.name, email: signer.email, key: signer.fingerprint },
    at: `${at.toISOString().slice(0, 19)}Z`,
    changes: [],
    current: { before: null, after: null },
    withdrawn: [],
    restored: [],
    details: { agent: "ai.example.clerk" },
    ...made.entry,
  };
  const format = repository.objectFormat;
  const policy = made.policy ?? foundingPolicy(signer.email, signer.fingerprint);
  const blobs = [
    { name: "policy.json", blob: makeObject("blob", formatPolicy(policy), format) },
    ...keys.map((key) => ({
      name: `keys/${key.fingerprint}.asc`,
      blob: makeObject("blob", key.publicKey, format),
    })),
  ];
  const { root, trees } = makeTrees(
    new Map(blobs.map(({ name, blob }) => [name, { mode: "100644", id: blob.id }])),
    format,
  );
  const message = edit(formatEntryMessage(`${entry.kind} by hand`, entry));
  const payload = formatCommitPayload({ tree: root.id, parents, who: signer, at, message });
  const commit = makeObject("commit", formatSignedCommit(payload, await signer.sign(payload, at), format), format);
  await writeObjects(repository, [...blobs.map(({ blob }) => blob), ...trees, commit]);
  await runGit(repository, ["update-ref", LOG_REF, commit.id]);
  return commit.id;
}
