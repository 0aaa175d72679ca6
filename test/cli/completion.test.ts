import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { COMMANDS } from "../../src/cli/commands/index.js";
import { completedCommand, SHELLS } from "../../src/cli/completion/completed-command.js";
import { kaiArguments } from "../../src/cli/kai-arguments.js";
import { scratch } from "../support/scratch.js";

const PROGRAM = new URL("../../bin/git-kai-version", import.meta.url).pathname;

/** What bash offers when Tab is pressed behind each line, asked for as git's own completion or bash itself asks. */
function completer(prepare: (dir: string, git: (...args: string[]) => void) => void = () => {}) {
  const { dir, env } = scratch();
  const git = (...args: string[]) => execFileSync("git", args, { cwd: dir, env });
  git("init", "-q", "-b", "main");
  git("commit", "-q", "--allow-empty", "-m", "chore: begin");
  prepare(dir, git);
  const script = execFileSync(PROGRAM, ["completion", "bash"], { env, encoding: "utf8" });
  const ask = String.raw`
    line=$1 words=() cword=0
    read -ra words <<<"$line"; [[ $line == *' ' ]] && words+=("")
    cword=$(( \${#words[@]} - 1 )) cur=\${words[cword]} COMP_WORDS=("\${words[@]}") COMP_CWORD=$cword
    case \${words[0]} in git) _git_kai_version ;; kai) _kai ;; *) _git_kai_version_program ;; esac
    printf '%s\n' "\${COMPREPLY[@]}"`.replaceAll("\\$", "$");
  return {
    dir,
    offers: (line: string) =>
      execFileSync("bash", ["--norc", "-c", `${script}\n${ask}`, "bash", line], {
        cwd: dir,
        env: { ...env, KAI_AGENTS: path.dirname(dir) },
        encoding: "utf8",
      })
        .split("\n")
        .filter((word) => word !== ""),
  };
}

test("bash completes commands, the words of a group, options and their values", () => {
  const { offers } = completer();
  expect(offers("git kai-version c")).toEqual(["create", "current", "compare", "config", "completion"]);
  expect(offers("git kai-version key ")).toEqual(["generate", "import", "export", "list"]);
  expect(offers("git kai-version create --t")).toEqual(["--type", "--tag", "--trust-commands"]);
  expect(offers("git kai-version create --type ")).toEqual(["auto", "manual", "release"]);
  expect(offers("git kai-version create --type=m")).toEqual(["manual"]);
  expect(offers("git kai-version --json list --sort ")).toEqual(["version", "date", "type", "author"]);
  expect(offers("git kai-version promote 1.0.0 s")).toEqual(["staging"]);
  expect(offers("git kai-version list --status p")).toEqual(["production"]);
  expect(offers("git-kai-version config v")).toEqual(["validate"]);
  expect(offers("git kai-version completion ")).toEqual([...SHELLS]);
});

test("bash completes versions by the tags of the repository, and files", () => {
  const { dir, offers } = completer((_dir, git) => {
    git("tag", "v1.0.0");
    git("tag", "v1.1.0");
  });
  expect(offers("git kai-version rollback ")).toEqual(["v1.0.0", "v1.1.0"]);
  expect(offers("git kai-version verify v1.0.0 v1.1")).toEqual(["v1.1.0"]);
  expect(offers("git kai-version rollback 1")).toEqual(["1.0.0", "1.1.0"]);
  expect(offers("git kai-version compare v1.0.0 v1.0")).toEqual(["v1.0.0"]);
  expect(offers(`git kai-version -C ${path.dirname(dir)} show `)).toEqual([]);
  expect(offers(`git kai-version -C ${dir} show v1.1`)).toEqual(["v1.1.0"]);
  expect(offers(`git kai-version key import ${path.dirname(dir)}/wo`)).toEqual([dir]);
});

test("bash completes snapshots by their records, in small letters too, and nothing else that lies there", () => {
  const ids = ["01K6XN3YQ8ZJ4V5W6X7Y8Z9A0B", "01M8R3XTX8MNQ66K8JSYTQCHQM"];
  const { dir, offers } = completer((dir) => {
    for (const name of [...ids, "lock", "01K6XN3YQ8ZJ4V5W6X7Y$(>p)A"])
      mkdirSync(path.join(dir, ".git/kai/snapshots", name), { recursive: true });
  });
  for (const command of ["exec", "shell", "diff", "save", "commit", "destroy", "show", "logs"])
    expect(offers(`git kai-version snapshot ${command} `), command).toEqual(ids);
  expect(offers("git kai-version snapshot exec 01m")).toEqual([ids[1]]);
  expect(offers("git kai-version snapshot create 1.0.0 --base 01K")).toEqual([ids[0]]);
  expect(offers(`git kai-version -C ${path.dirname(dir)} snapshot exec `)).toEqual([]);
  expect(offers("kai snapshot exec work 01K")).toEqual([ids[0]]);
  expect(offers("git kai-version snapshot logs 01K --execution ")).toEqual([]);
  expect(offers("git kai-version init --agent-id ")).toEqual([]);
});

test("kai names the agent first, a folder of KAI_AGENTS, where a command concerns one", () => {
  const { offers } = completer((_dir, git) => git("tag", "v1.0.0"));
  expect(offers("kai show w")).toEqual(["work"]);
  expect(offers("kai show work ")).toEqual(["v1.0.0"]);
  expect(offers("kai key list ")).toEqual([]);
  expect(offers("kai doctor w")).toEqual(["work"]);
});

test("kai snapshot AGENT is completed to --test and a version", () => {
  const { offers } = completer((_dir, git) => git("tag", "v1.0.0"));
  expect(offers("kai snapshot work ")).toEqual(["--test"]);
  expect(offers("kai snapshot work --")).toContain("--test");
  expect(offers("kai snapshot work --test ")).toEqual(["v1.0.0"]);
  expect(offers("kai snapshot work --test=v")).toEqual(["v1.0.0"]);
  expect(offers("kai snapshot work --test v1.0.0 ")).toEqual([]);
  expect(offers("kai snapshot test work v")).toEqual(["v1.0.0"]);
  expect(offers("git kai-version snapshot test --")).not.toContain("--test");
});

test("a tag whose name is a command is neither run nor offered", () => {
  const { dir, offers } = completer((_dir, git) => git("tag", "v1.0.0$(>pwned)"));
  mkdirSync(path.join(dir, "elsewhere"));
  expect(offers("git kai-version show ")).toEqual([]);
  expect(existsSync(path.join(dir, "pwned"))).toBe(false);
});

test("every script knows every command and every option", async () => {
  const { env } = scratch();
  const commands = await Promise.all(COMMANDS.map(async ({ load }) => completedCommand(await load())));
  for (const shell of SHELLS) {
    const script = execFileSync(PROGRAM, ["completion", shell], { env, encoding: "utf8" });
    for (const { name, options } of commands) {
      expect(script, shell).toContain(name);
      for (const option of options) expect(script, shell).toContain(option.name);
    }
  }
});

test("the commands that want no agent are those of kai", async () => {
  for (const { load } of COMMANDS) {
    const command = completedCommand(await load());
    const words = kaiArguments([...command.name.split(" "), "agent"], { HOME: "/nowhere" });
    expect(words.argv.includes("-C"), command.name).toBe(command.namesAgent);
  }
});
