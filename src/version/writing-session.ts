import { ulid } from "ulid";
import { KaiError } from "../error.js";
import { ObjectReader } from "../git/object-reader.js";
import { listRefs } from "../git/refs.js";
import { openRepository, type Repository } from "../git/repository.js";
import { LOG_REF } from "../operation/entry.js";
import type { HeldRoots } from "../operation/held-roots.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import type { Operation, PerformedOperation } from "../operation/operation.js";
import { perform } from "../operation/perform.js";
import type { Recovered } from "../operation/recover.js";
import { withOperationLock } from "../operation/with-operation-lock.js";
import type { FileLock } from "../system/file-lock.js";
import { kaiHome } from "../trust/key-store.js";
import { mayDo, type Role } from "../trust/policy.js";
import { openSigner, type Signer } from "../trust/signer.js";
import { findTrustRoot, type TrustRoot, writeTrustRoot } from "../trust/trust-root.js";
import { readTrustedLog, type TrustedLog } from "../trust/trusted-log.js";
import { type AgentRepository, type OnConfigGone, openAgent } from "./agent-repository.js";
import type { History } from "./history.js";
import { mendCurrent } from "./mend-current.js";
import { removeUnused } from "./placed-folder.js";
import type { Proving } from "./prove-version.js";
import { historyFrom, readOutlines } from "./reading.js";
import { type Rebuilt, rebuildProjection } from "./rebuild-projection.js";
import { readStatus, type WorkTreeStatus } from "./work-tree-status.js";

/** What the program hands to every command that writes. */
export interface Caller {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => Date;
  readonly progress: (message: string) => void;
  /** Is told once what is waited for, for it may take long and progress be seen by nobody. */
  readonly onWaiting?: ((message: string) => void) | undefined;
  /** Is told what was taken away that nobody asked for, a line each. */
  readonly onSwept?: ((message: string) => void) | undefined;
  /** Is told what could not be done beside what was asked, and what stays so. */
  readonly onLeft?: ((message: string) => void) | undefined;
  readonly onRecovered: (recovered: readonly Recovered[]) => void;
  readonly onConfigGone?: OnConfigGone | undefined;
  /** The agent around `cwd`, where somebody has opened it a moment ago. */
  readonly opened?: AgentRepository | undefined;
  readonly askPassphrase?: ((key: string) => Promise<string>) | undefined;
  /** Runs a part that must not be ended half-way: whoever interrupts it is heard by the signal, with a KaiError. Default: as it is. */
  readonly uninterrupted?: Uninterrupted | undefined;
  /** Aborted by somebody who does not want it any more, with a KaiError: before the commit point all is taken back. */
  readonly interrupted?: AbortSignal | undefined;
}

export type Uninterrupted = <T>(part: (interrupted: AbortSignal) => Promise<T>) => Promise<T>;

/** An agent under the operation lock, recovered, its log verified, its history read. */
export interface WritingSession {
  readonly agent: AgentRepository;
  readonly caller: Caller;
  readonly lock: FileLock;
  /** What it keeps to itself, besides, until it has ended: `holdDeployment`. */
  readonly roots: HeldRoots;
  readonly reader: ObjectReader;
  readonly log: TrustedLog;
  /** The pin of this clone. */
  readonly root: TrustRoot;
  readonly history: History;
  /** What git says of the working tree; asked for while the log was read, or with `statusLater` when it is wanted. */
  readonly status: Promise<WorkTreeStatus>;
  /** A new operation's ULID. */
  readonly id: string;
  readonly at: Date;
  /** Unlocks the key, and refuses (E112) one without the role. */
  openSigner(role: Role): Promise<Signer>;
  /** Carries the operation out and remembers its entry as seen. */
  perform(operation: Operation, signer: Signer): Promise<PerformedOperation>;
}

export interface Beginning {
  /** For whoever has to wait for the lock. */
  readonly purpose: string;
  readonly untracked: "no" | "normal";
  /** Where the work may do without the working tree's status. */
  readonly statusLater?: boolean;
  /** What can be begun while the log is read. */
  readonly onLocked?: (repository: Repository, reader: ObjectReader) => void;
}

/** What a version is proven by in a session. */
export const provingOf = ({
  agent,
  reader,
  log,
  history,
}: Pick<WritingSession, "agent" | "reader" | "log" | "history">): Proving => ({
  repository: agent.repository,
  reader,
  log,
  history,
});

/** Takes the lock, brings interrupted operations to their end, reads and verifies, and hands all that to `work`. */
export async function withWritingSession<T>(
  caller: Caller,
  { purpose, untracked, statusLater = false, onLocked }: Beginning,
  work: (session: WritingSession) => Promise<T>,
): Promise<T> {
  const agent = caller.opened ?? (await openAgent(caller.cwd, caller.env, caller.onConfigGone));
  const { repository } = agent;
  const trustFile = kaiFolderOf(repository).trust;
  return withOperationLock(repository, { ...caller, purpose }, async (lock, roots) => {
    const root = await requireTrustRoot(agent);
    const reader = new ObjectReader(repository);
    try {
      onLocked?.(repository, reader);
      let status = statusLater ? undefined : readStatus(repository, untracked);
      // Whoever wants it is told of its failure.
      status?.catch(() => {});
      const [log, read] = await Promise.all([
        readTrustedLog(repository, reader, root),
        readOutlines(repository, { reader }),
      ]);
      const at = caller.now();
      const id = ulid(at.getTime());
      const { history, outline } = historyFrom(read.tags, read.log, agent.config);
      if (outline.head !== log.head) throw movedMeanwhile();
      await removeUnused(repository, { repo: log.entry.repo, history, roots });
      await mendCurrent(repository, reader, history, read.tags, { id, inherit: [lock.descriptor] });
      return await work({
        agent,
        caller,
        lock,
        roots,
        reader,
        log,
        root,
        history,
        get status() {
          status ??= readStatus(repository, untracked);
          return status;
        },
        id,
        at,
        openSigner: (role) => openSignerWith(caller, log, role),
        perform: async (operation, signer) => {
          const performed = await perform(repository, lock, operation, signer);
          // It has happened; a pin that lags behind is only verified again.
          await writeTrustRoot(trustFile, { ...root, seen: performed.entry }).catch(() => {});
          return performed;
        },
      });
    } finally {
      reader.close();
    }
  });
}

/**
 * Brings interrupted operations to their end and, in an agent, puts the tag `current` where the log says and makes records
 * and versions' tags that are missing again.
 */
export async function recoverAgent(caller: Caller): Promise<Rebuilt> {
  const repository = await openRepository(caller.cwd, caller.env);
  await withOperationLock(repository, { ...caller, purpose: "recover" }, async () => {});
  if ((await findTrustRoot(kaiFolderOf(repository).trust)) === undefined) return { records: [], tags: [] };
  return withWritingSession(caller, { purpose: "recover", untracked: "no" }, ({ reader, history, id, at, lock }) =>
    rebuildProjection(repository, reader, history.log, { id, at, inherit: [lock.descriptor] }),
  );
}

/** What was verified is one log, and what was outlined another. */
const movedMeanwhile = (): KaiError =>
  new KaiError("E113", `Another git process moved ${LOG_REF} while it was read.`, {
    hint: "Nothing was changed. Run the command again.",
  });

/** The pin of this clone. E105 where nothing was founded here, E121 where a log is here that nobody has adopted. */
export async function requireTrustRoot({ repository }: AgentRepository): Promise<TrustRoot> {
  const root = await findTrustRoot(kaiFolderOf(repository).trust);
  if (root) return root;
  const refs = await listRefs(repository, [LOG_REF]);
  if (refs.length === 0) {
    throw new KaiError("E105", "This repository has a kai.yaml, but its log is not here.", {
      hint: "`git kai-version init` fetches and adopts the log of its remote, or founds one.",
    });
  }
  throw new KaiError(
    "E121",
    "This clone has a log that it has not adopted: nobody has confirmed where it comes from.",
    {
      hint: "`git kai-version init` pins it and shows its root for you to compare.",
    },
  );
}

async function openSignerWith(caller: Caller, log: TrustedLog, role: Role): Promise<Signer> {
  const signer = await openSigner({
    home: kaiHome(caller.env),
    env: caller.env,
    askPassphrase: caller.askPassphrase,
  });
  if (mayDo(log.policy, signer.fingerprint, role)) return signer;
  throw new KaiError("E112", `The key ${signer.fingerprint} (${signer.name}) is no ${role} here.`, {
    hint: "Sign with a key of the policy: `git kai-version key list` shows yours. An owner grants roles.",
  });
}
