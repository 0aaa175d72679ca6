// `npm run demo [-- --keep]`: an agent that runs is versioned, broken and brought back, in a temporary folder with a home of its own.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { bootstrap } from "./bootstrap.mjs";
import { endProcessesIn } from "./demo-processes.mjs";
import { DemoFailure, openStage } from "./demo-stage.mjs";
import { ownEnvironment, removeFolder, temporaryFolder } from "./test-environment.mjs";

const AGENT = "document-summariser";
const AGENT_ID = "ai.example.summariser";
const QUESTION = "Who approves a release?";
const ASK = `python3 service.py ask "${QUESTION}"`;
const HEALTH = "python3 service.py health";
const RESTART = "python3 service.py stop && python3 service.py start";
const RIGHT_ANSWER = "approved by the product owner";
const SANDBOX_TEST = [
  [["snapshot_isolation", "base_images"], "host"],
  [
    ["snapshot_isolation", "tests"],
    [
      {
        name: "answers",
        kind: "functionality",
        run: `python3 logic.py --ask "${QUESTION}"`,
        expect: { exit_code: 0, stdout: RIGHT_ANSWER },
        timeout: "30s",
      },
    ],
  ],
];
const SANDBOXES = "/tmp/kai_snapshots";

const root = fileURLToPath(new URL("..", import.meta.url));
const keep = process.argv.includes("--keep");

bootstrap("demo");

const sandboxesWereThere = existsSync(SANDBOXES);
const folder = temporaryFolder("kai-demo-");
process.on("exit", tidyUp);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));

try {
  await tell(await prepare());
} catch (error) {
  if (!(error instanceof DemoFailure)) throw error;
  process.stderr.write(`\nThe demo stopped. ${error.message}\n`);
  process.exitCode = 1;
}

async function prepare() {
  const { addLifecycle, applyStep, buildAgent } = await import("../test-repos/build-agent.mjs");
  const cwd = path.join(folder, AGENT);
  const env = {
    ...ownEnvironment(folder),
    PATH: `${path.join(root, "bin")}:${process.env.PATH}`,
    KAI_HOME: path.join(folder, "kai"),
    GNUPGHOME: path.join(folder, "gpg"),
    // Python would leave its cache among the agent's files.
    PYTHONDONTWRITEBYTECODE: "1",
  };
  mkdirSync(env.GNUPGHOME, { mode: 0o700 });
  writeFileSync(
    path.join(env.HOME, ".gitconfig"),
    "[user]\n\tname = Ada Agent\n\temail = ada@example.com\n[advice]\n\tdetachedHead = false\n",
  );
  await buildAgent(AGENT, cwd, { env });
  const change = (step) => applyStep(AGENT, step, cwd, { env, date: new Date() });
  await change("service");
  return {
    stage: openStage({ cwd, env, out: process.stdout }),
    cwd,
    change,
    addLifecycle: () => addLifecycle(AGENT, cwd),
  };
}

async function tell({ stage, cwd, change, addLifecycle }) {
  const { title, scene, say, run, pullThePlug } = stage;

  title("git kai-version: versions, a sandboxed try and a rollback for an AI agent that runs");
  say("The agent is a document summariser in Python: logic, configuration, prompts, tools and a memory in SQLite.");
  say("It lies in a git repository, as yours does. All that follows happens in a temporary folder.");
  await run("ls");
  await run("git log --oneline -4");

  scene("1. Make the repository an agent");
  say("It gets a kai.yaml and a signed log. Its counters are left out of git and saved with each version instead.");
  await run(`git kai-version init --yes --agent-id ${AGENT_ID}`);
  say(
    "\nkai.yaml is told how the agent is stopped, started and asked whether it is well, that its memory is state too,",
  );
  say("and where it is deployed.");
  await addLifecycle();
  await setInConfig(cwd, [[["deploy", "root"], "../deployment"]]);
  await run("git diff -U0 kai.yaml");
  await run('git commit -q -a -m "chore: say how the agent is run"');

  scene("2. The first version, of an agent that runs");
  await run("python3 service.py start");
  await run('python3 service.py ask "How long are invoices kept?"', { shows: "seven years" });
  await run('git kai-version create --as 1.0.0 -m "Answers from the handbook"', { shows: "1.0.0" });
  say("\nIt knows only one of its documents. The answer is wrong:");
  await run(ASK);

  scene("3. A better one");
  say("Two commits teach it to look through all documents. They say `feat`, so the next version is a minor one.");
  await change("v1.1");
  await run(RESTART);
  await run(ASK, { shows: RIGHT_ANSWER });
  say(
    "\nSo that it stays right, a test goes into kai.yaml, for a sandbox that is made of this machine's own programs.",
  );
  await setInConfig(cwd, SANDBOX_TEST);
  await run('git commit -q -a -m "test: ask who approves a release"');
  await run("git kai-version next", { shows: "1.1.0" });
  await run('git kai-version create -m "Finds the document that knows"', { shows: "1.1.0" });
  say("\nIt passes without a network:");
  await run("git kai-version snapshot test 1.1.0");

  scene("4. Who released what");
  await run("git kai-version list", { shows: "1.1.0" });
  await run("git kai-version verify --all");
  say("\nNobody has to believe this program: stock git and gpg say the same.");
  await run("git kai-version key export | gpg --quiet --import");
  await run("git verify-tag v1.1.0", { shows: "Good signature" });

  scene("5. A bad day");
  say("The third version keeps its memory in another form, and is to look at fewer passages. Somebody wrote 0.");
  await change("v1.3");
  await run("git show --stat --oneline HEAD");
  await run('git kai-version create -m "Looks at fewer passages"', { shows: "1.2.0" });
  say("\nThe sandbox finds out without touching the agent that runs:");
  await run("git kai-version snapshot test 1.2.0", { status: 1 });
  say("\nWhoever skipped that has an agent that is ill, and a memory that no earlier version reads:");
  await run(RESTART);
  await run(HEALTH, { status: 1, shows: "ill" });
  await run(ASK, { status: 1 });
  await run("sqlite3 memory.sqlite .tables", { shows: "conversations" });

  scene("6. Back to the good one");
  await run("git kai-version rollback 1.1.0 --dry-run");
  await run("git kai-version rollback 1.1.0", { shows: "restore_data" });
  say("\nThe agent runs again, is well, and remembers what it knew when 1.1.0 was made:");
  await run(HEALTH, { shows: "well" });
  await run("python3 logic.py --memory", { shows: QUESTION });
  await run(ASK, { shows: RIGHT_ANSWER });
  say(
    "\nNothing was rewritten, and nothing is lost: one signed commit more, the log tells it, and what the ill version",
  );
  say("had written to the memory is kept as well.");
  await run("git log --oneline -3");
  await run("git kai-version log --limit 3");
  await run("git for-each-ref --format='%(refname)' refs/kai/backup");

  scene("7. Pull the plug");
  say("Further back, to 1.0.0; and as soon as the agent stands still, everything is killed with SIGKILL.");
  await pullThePlug("git kai-version rollback 1.0.0", () => !existsSync(path.join(cwd, "run", "service.json")));
  await run("git kai-version status", { shows: "interrupted" });
  await run(HEALTH, { status: 1, shows: "does not run" });
  say("\nThe next command that writes, whichever it is, finds all or nothing of it, and starts the agent again:");
  const recovered = await run("git kai-version recover", { shows: "the agent runs" });
  await run("git status --short");
  await run(HEALTH, { shows: "well" });
  if (recovered.includes("had not happened")) {
    say("\nOnce more, to its end:");
    await run("git kai-version rollback 1.0.0");
  }

  scene("8. Even that can be undone");
  say("Files, memory and what runs are as they were before.");
  await run("git kai-version undo");
  await run("git kai-version current", { shows: "1.1.0" });
  await run(HEALTH, { shows: "well" });
  await run(ASK, { shows: RIGHT_ANSWER });

  scene("9. Deploy it");
  say("A folder for each version, read-only and checked file by file, and a link that is switched at once.");
  await run("git kai-version deploy 1.0.0 --no-commands");
  await run("git kai-version deploy 1.1.0 --no-commands", { shows: "1.1.0" });
  await run("ls -l ../deployment ../deployment/versions");
  await run("cat ../deployment/current/snapshot_meta.json ../deployment/rollback.log");
  say("\nWho changes it is found out:");
  await run("cd ../deployment/current && chmod u+w config.yaml && echo '# harmless' >> config.yaml");
  await run("git kai-version status", { shows: "config.yaml" });

  scene("10. All of it can be proven");
  await run("git kai-version verify --all --deep");
  await run("git fsck --strict --no-progress --no-dangling");

  scene("What was shown");
  say("- every version is a signed tag that stock git verifies, with a record that its signature covers");
  say("- a bad version is found in a sandbox, before or after its release");
  say("- going back takes one command: files, memory and the running agent, all or nothing, whenever the power fails");
  say("- it keeps all history and every byte, and can itself be undone");
  stage.summary();
}

async function setInConfig(cwd, values) {
  const { parseDocument } = await import("yaml");
  const file = path.join(cwd, "kai.yaml");
  const config = parseDocument(readFileSync(file, "utf8"));
  for (const [key, value] of values) config.setIn(key, config.createNode(value));
  writeFileSync(file, config.toString({ lineWidth: 0 }));
}

function tidyUp() {
  endProcessesIn(folder);
  if (keep) {
    process.stdout.write(`\nEverything is in ${folder}\n`);
    return;
  }
  removeFolder(folder);
  if (!sandboxesWereThere && existsSync(SANDBOXES)) {
    try {
      rmdirSync(SANDBOXES);
    } catch {
      process.stderr.write(`${SANDBOXES} still holds something\n`);
    }
  }
}
