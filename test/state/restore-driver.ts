import { NO_AGENTS } from "../../src/operation/live-change.js";
import { backUpState } from "../../src/state/back-up-state.js";
import { openCapture } from "../../src/state/open-capture.js";
import { stageState } from "../../src/state/stage-state.js";
import { withWritingSession } from "../../src/version/writing-session.js";

// Restores the state of v1.0.0 in the working tree around, as an operation that does nothing else.
const caller = {
  cwd: process.cwd(),
  env: process.env,
  now: () => new Date(),
  progress: () => {},
  onRecovered: () => {},
};
await withWritingSession(caller, { purpose: "restore", untracked: "no" }, async (session) => {
  const { agent, log, history, id, at, lock } = session;
  const { workTree } = agent.repository;
  if (workTree === undefined) throw new Error("no working tree");
  const repository = { ...agent.repository, workTree };
  const signer = await session.openSigner("operator");
  const patterns = agent.config.version_management.artifacts.state;
  const digest = history.versions.find((each) => each.tag === "v1.0.0")?.state ?? null;
  const capture = await openCapture(repository, session.reader, { ref: "refs/kai/state/v1.0.0", digest });
  const operation = {
    id,
    repo: log.entry.repo,
    kind: "state",
    subject: "restore state",
    at,
    log: { head: log.head, seq: log.entry.seq, at: log.at },
    current: { before: history.current, after: history.current },
    objects: [],
    changes: [],
    held: [],
    files: log.files,
    live: {
      before: NO_AGENTS,
      after: NO_AGENTS,
      inWorkTree: true,
      stage: (folder: string) => stageState(repository, capture, folder, patterns),
      handOver: async (folder: string) => {
        const request = { operation: id, patterns, who: signer, at, inherit: [lock.descriptor], folder };
        await backUpState(repository, request);
      },
      takeBack: async () => {},
      settle: async () => {},
    },
  } as const;
  await session.perform(operation, signer);
});
