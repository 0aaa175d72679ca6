import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { ObjectReader } from "../../src/git/object-reader.js";
import { openRepository } from "../../src/git/repository.js";
import { LOG_REF } from "../../src/operation/entry.js";
import { kaiFolderOf } from "../../src/operation/kai-folder.js";
import { endMarked } from "../../src/system/marked-processes.js";
import { generateKey, kaiHome } from "../../src/trust/key-store.js";
import { openSigner } from "../../src/trust/signer.js";
import { writeTrustRoot } from "../../src/trust/trust-root.js";
import { findRootOf } from "../../src/trust/trusted-log.js";
import { agentMark } from "../../src/version/lifecycle-commands.js";
import { entryAt, leftovers } from "../operation/observe.js";
import { told } from "../scenarios/place.js";
import { addEntry } from "../trust/hand-made-log.js";
import { type CountingAgent, countingAgent, lifecycle, runningAgent, STOP } from "./counting-agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

const create = (agent: CountingAgent, ...more: string[]) => agent.kai("create", "--allow-unchanged", ...more);

/** Whether one process counts, and which of those that ever did it is, from 0. */
async function whichRuns(agent: CountingAgent): Promise<number> {
  const running = await agent.running();
  expect(running).toHaveLength(1);
  return agent.started().findIndex(({ id }) => id === running[0]);
}

test("an agent that writes all the time is stopped for a moment: its state is of one, and it runs again", async () => {
  const agent = await runningAgent();
  const created = await create(agent, "--json");
  expect(created.exit, String(created)).toBe(0);
  expect(created.stderr).toBe("");
  const { state } = created.json();
  expect(state).toMatchObject({ consistent: true, stopped: { ok: true, error: null }, notStopped: null });
  expect(state.stopped.durationMs).toBeGreaterThan(0);
  const { file, database } = agent.captured("v1.0.1");
  expect(file).toBe(database);
  // It goes on from there, and from nowhere else.
  expect(await whichRuns(agent)).toBe(1);
  expect(agent.started()[1]?.at).toBe(file);
  expect(leftovers(agent)).toEqual([]);
  expect(String(await create(agent))).toMatch(
    /^ {2}agent {4}stood still for <time>, so that its state fits together$/m,
  );
});

test("state that an agent leaves in the middle of a transaction is of one moment all the same", async () => {
  const agent = await runningAgent();
  agent.write("../torn", "");
  expect((await create(agent, "--json")).json().state).toMatchObject({ consistent: true, stopped: { ok: true } });
  const { file, database } = agent.captured("v1.0.1");
  expect([0, 1]).toContain(file - database);
  expect(agent.started()[1]?.at).toBe(database);
});

test("nobody stops an agent that lets its state alone meanwhile, or has a database alone", async () => {
  const agent = await countingAgent(lifecycle({ start: "exec sleep 1000", stop: "touch ../stopped", health: "true" }));
  agent.write("state.json", "{}\n");
  expect((await create(agent, "--json", "--as", "1.0.0")).json().state).toMatchObject({
    consistent: true,
    stopped: null,
  });
  await told(agent, "create", "--allow-unchanged");
  expect(existsSync(path.join(agent.dir, "../stopped"))).toBe(false);

  const alone = await countingAgent(lifecycle());
  alone.write(
    "kai.yaml",
    readFileSync(path.join(alone.dir, "kai.yaml"), "utf8").replace(/include: .*?]/, "include: [memory.sqlite]"),
  );
  alone.commit("feat: remember less");
  await told(alone, "create", "--as", "1.0.0");
  await alone.start();
  expect((await create(alone, "--json")).json().state).toMatchObject({ consistent: true, stopped: null });
  expect(await whichRuns(alone)).toBe(0);
});

test("without the commands for it the agent runs on, and create says what may be amiss and what to set", async () => {
  const agent = await countingAgent("");
  await told(agent, "create", "--as", "1.0.0");
  await agent.startByHand();
  const created = await create(agent);
  expect(created.exit).toBe(0);
  expect(created.stderr).toMatchInlineSnapshot(`
    "Warning: lease, memory.sqlite and state.json were captured one after the other, and some were written meanwhile: they may be of different moments. The agent was not stopped: To be stopped for a moment it needs lifecycle.stop and lifecycle.start, and the kai.yaml of v1.0.0, which runs, has no lifecycle.stop and no lifecycle.start.
    "
  `);
  const { state } = (await create(agent, "--json")).json();
  expect(state).toMatchObject({
    consistent: false,
    stopped: null,
    notStopped: expect.stringContaining("lifecycle.stop"),
  });
  expect(agent.started()).toHaveLength(1);
});

test("an agent that does not run, or is not well, is neither stopped nor started", async () => {
  const agent = await countingAgent(lifecycle({ health: "echo ill; exit 1" }));
  await told(agent, "create", "--as", "1.0.0");
  await agent.startByHand();
  const { state } = (await create(agent, "--json")).json();
  expect(state).toMatchObject({ consistent: false, stopped: null });
  expect(state.notStopped).toBe("It does not run: It ended with status 1: ill");
  expect(await agent.running()).toEqual([]);
});

test("a version that the agent itself makes does not end it", async () => {
  const agent = await runningAgent();
  const [id] = await agent.running();
  const mark = readFileSync(`/proc/${id}/environ`, "latin1")
    .split("\0")
    .find((line) => line.startsWith("KAI_AGENT="));
  const own = { KAI_AGENT: mark?.slice("KAI_AGENT=".length) };
  const created = await agent.run(process.execPath, [PROGRAM, "create", "--allow-unchanged", "--json"], own);
  expect(created.json().state).toMatchObject({ consistent: false, notStopped: expect.stringContaining("itself") });
  expect(await whichRuns(agent)).toBe(0);
});

test("killed while the agent stands still: recover starts it again, and so does the next version", async () => {
  const agent = await runningAgent(lifecycle({ stop: `${STOP}; [ ! -e ../plug ] || kill -9 $PPID` }));
  agent.write("../plug", "");
  expect((await create(agent)).exit).toBe("SIGKILL");
  expect(await agent.running()).toEqual([]);
  const recovered = (await agent.kai("recover", "--json")).json().recovered;
  expect(recovered).toMatchObject([{ kind: "create", outcome: "undone", agent: { ok: true } }]);
  expect(await whichRuns(agent)).toBe(1);
  expect((await agent.kai("recover", "--json")).json().recovered).toEqual([]);

  expect((await create(agent)).exit).toBe("SIGKILL");
  agent.remove("../plug");
  const created = await create(agent, "--json");
  expect(created.stderr).toMatch(/^Took back an interrupted create/);
  expect(created.json()).toMatchObject({ version: "1.0.1", state: { consistent: true } });
  // Started by the recovery, and after its own moment.
  expect(await whichRuns(agent)).toBe(3);
  expect(leftovers(agent)).toEqual([]);
});

test("Ctrl-C while the agent stands still starts it again, and no version is made", async () => {
  const agent = await runningAgent(lifecycle({ stop: `${STOP}; [ ! -e ../interrupt ] || kill -INT $PPID` }));
  agent.write("../interrupt", "");
  const interrupted = await create(agent);
  expect(interrupted.exit).toBe("SIGINT");
  expect(interrupted.stderr).toBe("Interrupted: the agent is started again, and no version is made.\n");
  expect(await whichRuns(agent)).toBe(1);
  expect((await told(agent, "list")).versions).toHaveLength(1);
  expect(leftovers(agent)).toEqual([]);
});

test("what cannot be stopped is captured as it runs, and said so; nothing is started beside it", async () => {
  const agent = await countingAgent(lifecycle({ stop: "echo 'no such unit'; exit 5" }));
  await told(agent, "create", "--as", "1.0.0");
  await agent.startByHand();
  const created = await create(agent);
  expect(created.exit, String(created)).toBe(0);
  expect(created.stderr).toMatchInlineSnapshot(`
    "Warning: lease, memory.sqlite and state.json were captured one after the other, and some were written meanwhile: they may be of different moments.
    Warning: The agent could not be stopped as it was to be: The command failed, although nothing that was started runs any more. It ended with status 5: no such unit
    "
  `);
  expect(agent.started()).toHaveLength(1);
  expect((await create(agent, "--json")).json().state).toMatchObject({ consistent: false, stopped: { ok: false } });
});

test("a stop command that fails leaves it to signals: it stands still, and that the command failed is said", async () => {
  const agent = await runningAgent(lifecycle({ stop: "exit 5" }));
  const created = await create(agent, "--json");
  expect(created.stderr).toContain("The agent could not be stopped as it was to be: The command failed, although");
  expect(created.json().state).toMatchObject({ consistent: true, stopped: { ok: false } });
  expect(await whichRuns(agent)).toBe(1);
});

test("where the agent does not start again no version is made, and everybody is told", async () => {
  const agent = await runningAgent(
    lifecycle({ start: "[ ! -e ../broken ] || { echo broken; exit 1; }; exec python3 agent.py" }),
  );
  agent.write("../broken", "");
  expect((await create(agent, "--json")).json().error).toMatchObject({
    code: "E126",
    message: expect.stringMatching(/does not start again: It ended with status 1: broken/),
    command: "lifecycle.start",
  });
  expect(await agent.running()).toEqual([]);
  expect((await told(agent, "list")).versions).toHaveLength(1);
  expect(leftovers(agent)).toEqual([]);
  // It stands still now, so that nothing has to be stopped.
  expect((await create(agent, "--json")).json().state).toMatchObject({ consistent: true, stopped: null });
});

test("before the first version nobody has signed for the commands of kai.yaml", async () => {
  const agent = await countingAgent();
  await agent.start();
  const created = await agent.kai("create", "--as", "1.0.0", "--json");
  expect(created.json().state).toMatchObject({ consistent: false, stopped: null });
  expect(created.json().state.notStopped).toMatch(/nobody has signed for them.*--trust-commands/);
  expect(await whichRuns(agent)).toBe(0);
  await told(agent, "undo");
  const trusting = (await agent.kai("create", "--allow-unchanged", "--trust-commands", "--json")).json();
  expect(trusting.state).toMatchObject({ consistent: true, stopped: { ok: true } });
  expect(await whichRuns(agent)).toBe(1);
});

test("commands of a version that somebody else signed, under a root that nobody confirmed, are not run", async () => {
  const agent = await countingAgent();
  const asBob = await foundWithBob(agent);
  await told(agent, "create", "--as", "1.0.0");
  await agent.start();
  const untrusting = await agent.run(process.execPath, [PROGRAM, "create", "--allow-unchanged", "--json"], asBob);
  expect(untrusting.exit, String(untrusting)).toBe(0);
  expect(untrusting.json().state).toMatchObject({ consistent: false, stopped: null });
  expect(untrusting.json().state.notStopped).toMatch(/^The commands of v1\.0\.0 are not run: .*--trust-commands/);
  expect(await whichRuns(agent)).toBe(0);
});

/** Founds the log anew: Ada, whose key is here, and Bob release, and the root was taken as it came. Gives Bob's environment. */
async function foundWithBob(agent: CountingAgent): Promise<NodeJS.ProcessEnv> {
  const repository = await openRepository(agent.dir, agent.env);
  const ada = await openSigner({ home: kaiHome(agent.env), env: agent.env });
  const home = path.join(agent.dir, "../home of bob");
  await generateKey({ home, name: "Bob", email: "bob@example.com", passphrase: undefined, at: new Date("2025-01-01") });
  const env = { KAI_HOME: home };
  const bob = await openSigner({ home, env });
  const roles = { Ada: ["owner", "releaser"], Bob: ["releaser"] } as const;
  const principals = {
    Ada: { keys: [ada.fingerprint], roles: roles.Ada },
    Bob: { keys: [bob.fingerprint], roles: roles.Bob },
  };
  await addEntry(repository, {
    signer: ada,
    keys: [ada, bob],
    at: new Date("2026-03-03"),
    policy: { format: "kai-policy/1", principals, thresholds: { owner: 1 } },
  });
  const reader = new ObjectReader(repository);
  const root = await findRootOf(repository, reader, LOG_REF).finally(() => reader.close());
  await writeTrustRoot(kaiFolderOf(repository).trust, { ...root, origin: "first-use" });
  return env;
}

test("--dry-run says that the agent may be stopped, or why not, and runs no command", async () => {
  const agent = await runningAgent(lifecycle({ health: "touch ../asked" }));
  agent.remove("../asked");
  const dry = await create(agent, "--dry-run");
  expect(dry.stdout).toContain("for which the agent may be stopped for a moment, if it writes meanwhile");
  const { state } = (await create(agent, "--dry-run", "--json")).json();
  expect(state).toMatchObject({ mayStop: true, stopped: null, notStopped: null, consistent: null });
  expect(existsSync(path.join(agent.dir, "../asked"))).toBe(false);
  expect(await whichRuns(agent)).toBe(0);

  const without = await countingAgent("");
  without.write("state.json", "{}\n");
  expect((await create(without, "--dry-run", "--json")).json().state).toMatchObject({
    mayStop: false,
    notStopped:
      "To be stopped for a moment it needs lifecycle.stop and lifecycle.start, and kai.yaml has no lifecycle.stop and no lifecycle.start.",
  });
});

test("an agent that runs in a deployment is stopped there, as the version that is deployed", async () => {
  const agent = await countingAgent(
    `deploy: {root: ../deployed}\n${lifecycle({
      start: "cd ../../../clerk && exec python3 agent.py",
      stop: `echo "$KAI_VERSION in $PWD" >> ../../../stops; ${STOP.replaceAll("../started", "../../../started")}`,
      health: "kill -0 $(tail -n 1 ../../../started | cut -d ' ' -f 1)",
    })}`,
  );
  await told(agent, "create", "--as", "1.0.0");
  agent.write("state.json", "{}\n");
  agent.write("../deployed/current/file", "");
  expect((await create(agent, "--dry-run", "--json")).json().state).toMatchObject({
    mayStop: false,
    notStopped: expect.stringContaining("is no link"),
  });
  agent.remove("../deployed");
  const folder = path.resolve(agent.dir, "../deployed/versions/v1.0.0");
  const mark = agentMark(entryAt(agent, LOG_REF).repo, folder);
  onTestFinished(async () => {
    await endMarked(mark, 0);
  });
  await told(agent, "deploy", "1.0.0");
  // Another one comes into force, and is not deployed.
  await told(agent, "create", "--as", "1.1.0", "--allow-unchanged");
  const { state } = (await create(agent, "--json")).json();
  expect(state).toMatchObject({ consistent: true, stopped: { ok: true }, notStopped: null });
  expect(readFileSync(path.join(agent.dir, "../stops"), "utf8")).toBe(`1.0.0 in ${folder}\n`.repeat(2));
  expect(agent.started()).toHaveLength(3);
});
