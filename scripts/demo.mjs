// `npm run demo [-- --keep]`: an agent is versioned, broken and brought back, in a temporary folder with a home of its own.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { bootstrap } from "./bootstrap.mjs";
import { DemoFailure, openStage } from "./demo-stage.mjs";
import { ownEnvironment, removeFolder, temporaryFolder } from "./test-environment.mjs";

const AGENT = "document-summariser";
const AGENT_ID = "ai.example.summariser";
const QUESTION = "Who approves a release?";
const ASK = `python3 logic.py --ask "${QUESTION}"`;
const RIGHT_ANSWER = "approved by the product owner";
const SANDBOXES = "/tmp/kai_snapshots";

const root = fileURLToPath(new URL("..", import.meta.url));
const keep = process.argv.includes("--keep");

bootstrap("demo");

const sandboxesWereThere = existsSync(SANDBOXES);
const folder = temporaryFolder("kai-demo-");
process.on("exit", tidyUp);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));

try {
  await tell(await prepare());
} catch (error) {
  if (!(error instanceof DemoFailure)) throw error;
  process.stderr.write(`\nThe demo stopped. ${error.message}\n`);
  process.exitCode = 1;
}

async function prepare() {
  const { applyStep, buildAgent } = await import("../test-repos/build-agent.mjs");
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
  return { stage: openStage({ cwd, env, out: process.stdout }), cwd, change };
}

async function tell({ stage, cwd, change }) {
  const { title, scene, say, run } = stage;

  title("git kai-version: versions, a sandboxed try and a rollback for an AI agent");
  say("The agent is a document summariser in Python: logic, configuration, prompts, tools and a memory in SQLite.");
  say("It lies in a git repository, as yours does. All that follows happens in a temporary folder.");
  await run("ls");
  await run("git log --oneline -4");
  await run('python3 logic.py --ask "How long are invoices kept?"', { shows: "seven years" });
  await run("python3 logic.py --memory");

  scene("1. Make the repository an agent");
  say(
    "It gets a kai.yaml and a log. Its memory and its counters are left out of git and saved with each version instead.",
  );
  await run(`git kai-version init --yes --agent-id ${AGENT_ID}`);
  say("\nA test goes into kai.yaml, so that a version can be tried in a sandbox with this machine's own programs.");
  await addSandboxTest(cwd);
  await run("git diff -U0 kai.yaml");
  await run('git commit -q -a -m "test: ask who approves a release"');

  scene("2. The first version");
  await run('git kai-version create --as 1.0.0 -m "Answers from the handbook"', { shows: "1.0.0" });
  say("\nIt answers, but knows only one of its documents. The answer is wrong:");
  await run(ASK);

  scene("3. A better one");
  say("Two commits teach it to look through all documents. They say `feat`, so the next version is a minor one.");
  await change("v1.1");
  await run("git log --oneline -2");
  await run("git kai-version next", { shows: "1.1.0" });
  await run('git kai-version create -m "Finds the document that knows"', { shows: "1.1.0" });
  await run(ASK, { shows: RIGHT_ANSWER });
  say("\nIt passes its test in a sandbox without a network:");
  await run("git kai-version snapshot test 1.1.0");

  scene("4. Who released what");
  await run("git kai-version list", { shows: "1.1.0" });
  await run("git kai-version verify --all");
  say("\nNobody has to believe this program: stock git and gpg say the same.");
  await run("git kai-version key export | gpg --quiet --import");
  await run("git verify-tag v1.1.0", { shows: "Good signature" });

  scene("5. A bad day");
  say("Somebody gives the answers a nicer form. The prompt now asks for something that the logic does not have.");
  await change("v1.2");
  await run("git show --stat --oneline HEAD");
  await run('git kai-version create -m "Answers in the form of a letter"', { shows: "1.2.0" });
  say("\nThe sandbox finds out without touching the agent that runs:");
  await run("git kai-version snapshot test 1.2.0", { status: 1 });
  say("\nWhoever skipped that has an agent that does not answer any more:");
  await run(ASK, { status: 1 });

  scene("6. Back to the good one");
  await run("git kai-version rollback 1.1.0 --dry-run");
  await run("git kai-version rollback 1.1.0");
  await run(ASK, { shows: RIGHT_ANSWER });
  say("\nNothing was rewritten: the way back is one signed commit more, and one entry more in the signed log.");
  await run("git log --oneline -3");
  await run("git kai-version log");

  scene("7. Even that can be undone");
  await run("git kai-version undo");
  await run("git kai-version current", { shows: "1.2.0" });
  say("\nAnd back once more, to leave the agent well:");
  await run("git kai-version rollback 1.1.0");
  await run(ASK, { shows: RIGHT_ANSWER });
  await run("git kai-version verify --all");
  await run("git fsck --strict --no-progress --no-dangling");

  scene("What was shown");
  say("- every version is a signed tag that stock git verifies, with a record that its signature covers");
  say("- a bad version is found in a sandbox, before or after its release");
  say("- going back takes one command, keeps all history, and can itself be undone");
  stage.summary();
}

async function addSandboxTest(cwd) {
  const { parseDocument } = await import("yaml");
  const file = path.join(cwd, "kai.yaml");
  const config = parseDocument(readFileSync(file, "utf8"));
  config.setIn(["snapshot_isolation", "base_images"], "host");
  config.setIn(
    ["snapshot_isolation", "tests"],
    config.createNode([
      {
        name: "answers",
        kind: "functionality",
        run: ASK,
        expect: { exit_code: 0, stdout: RIGHT_ANSWER },
        timeout: "30s",
      },
    ]),
  );
  writeFileSync(file, config.toString({ lineWidth: 0 }));
}

function tidyUp() {
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
