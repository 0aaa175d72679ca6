import { existsSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { after } from "./after.js";
import { NOTHING_LEFT, snapshotAgent } from "./snapshot-agent.js";

const reasonsOf = (diff: { refused: { path: string; reason: string }[] }): Record<string, string> =>
  Object.fromEntries(diff.refused.map(({ path: name, reason }) => [name, reason]));

/** All that is hostile in a folder at once, the marker being a file outside that shows whether anything of it was executed. */
const hostileFolder = (marker: string) => [
  "import os, socket",
  `evil = "touch '${marker}'"`,
  "def put(name, text, mode=0o644):",
  "    os.makedirs(os.path.dirname(name) or '.', exist_ok=True)",
  "    open(name, 'w').write(text); os.chmod(name, mode)",
  "config = f'[core]\\n fsmonitor = {evil}\\n hooksPath = .\\n[filter \"evil\"]\\n clean = {evil}\\n smudge = {evil}\\n[include]\\n path = /etc/passwd\\n'",
  "for git in ['.git', '.GIT', '.git ', '.git.', 'git~1', '.g\\u200cit', '\\uff0egit', 'sub/.git', 'sub/.gIt']:",
  "    put(f'{git}/config', config); put(f'{git}/hooks/post-checkout', '#!/bin/sh\\n' + evil, 0o755)",
  "    put(f'{git}/objects/info/alternates', '/etc\\n')",
  "put('worktree/.git', 'gitdir: /tmp')",
  "put('.gitattributes', '* filter=evil diff=evil merge=evil\\n')",
  "put('.gitmodules', '[submodule \"x\"]\\n path = x\\n url = -u./evil\\n')",
  "os.mkfifo('pipe'); os.mkfifo('sub/.gitignore')",
  "socket.socket(socket.AF_UNIX).bind('door')",
  "put('tool', ''); os.chmod('tool', 0o4755)",
  "os.symlink('/etc/passwd', 'absolute'); os.symlink('../../etc/passwd', 'up'); os.symlink('sub/../../x', 'behind')",
  "os.symlink('logic.py', 'good'); os.symlink('../logic.py', 'sub/good'); os.symlink('x', 'sub/.gitmodules')",
  "os.symlink('.GIT/config', 'into'); os.symlink('.././.git/hooks', 'sub/into')",
  "os.link('logic.py', 'hard')",
  "put('line\\nfeed', 'x'); put('-rf', 'x'); put('\\x1b[31mred', 'x')",
];

test("a hostile folder is read as data: nothing of it runs, what can be in no version is named", async () => {
  const agent = await snapshotAgent();
  const marker = path.join(path.dirname(agent.dir), "executed");
  const id = await after(agent, hostileFolder(marker));
  const diff = await agent.made("diff", id);
  const repository = "a repository of its own";
  expect(reasonsOf(diff)).toEqual({
    ".git": repository,
    ".GIT": repository,
    ".git ": repository,
    ".git.": repository,
    "git~1": repository,
    ".g\u200cit": repository,
    "\uff0egit": repository,
    "sub/.git": repository,
    "sub/.gIt": repository,
    "worktree/.git": repository,
    pipe: "a FIFO",
    "sub/.gitignore": "a FIFO",
    door: "a socket",
    tool: "setuid or setgid",
    absolute: "a link to an absolute path",
    up: "a link that leaves the agent's folder",
    behind: "a link that goes up behind a name",
    into: "a link into a repository's own folder",
    "sub/into": "a link into a repository's own folder",
    "sub/.gitmodules": "a link that git would read",
  });
  const done = await agent.made("commit", id, "--allow-executable");
  const taken = agent.git("diff", "--name-only", "-z", "v1.1.0", done.branch).split("\0").filter(Boolean).sort();
  expect(taken).toEqual(
    [".gitattributes", ".gitmodules", "-rf", "good", "hard", "line\nfeed", "sub/good", "\u001b[31mred"].sort(),
  );
  // What git itself finds wrong with it is that the submodule's address is one that no git would fetch.
  const checked = await agent.run("git", ["fsck", "--strict", "--no-dangling"]);
  expect(`${checked.stdout}${checked.stderr}`.replace(/^.*gitmodulesUrl: disallowed.*$/gm, "").trim()).toBe("");
  expect(existsSync(marker)).toBe(false);
  // The terminal hears nothing of a name, and all of it is to be seen.
  const shown = (await agent.snapshot("diff", id)).stdout;
  expect(shown).not.toContain("\u001b[31m");
  expect(shown).toContain("added     \\u001b[31mred\n");
});

test("--patch shows the text that a commit would take, nothing that acts on a terminal, and nothing too large", async () => {
  const agent = await snapshotAgent({}, { ".gitignore": "*.log\n", ".gitattributes": "logic.py diff=evil\n" });
  const marker = path.join(path.dirname(agent.dir), "executed");
  for (const key of ["textconv", "command"]) agent.git("config", `diff.evil.${key}`, `touch '${marker}';`);
  const script = [
    "import os; open('logic.py', 'a').write('more\\x1b[31m\\u202e\\n')",
    "open('bytes', 'wb').write(bytes(range(256)) * 9); open('a.log', 'w').write('ignored\\n')",
    "open('setup.sh', 'w').write('#!/bin/sh\\0\\nevil one\\n'); os.chmod('setup.sh', 0o755)",
    "os.makedirs('.githooks'); open('.githooks/x', 'w').write('evil two\\0\\n')",
    "open('large', 'w').write('x' * 300000)",
    "os.remove('prompts/system.md')",
  ];
  const id = await after(agent, script);
  const { patch } = await agent.made("diff", id, "--patch");
  expect(patch.notShown).toEqual([
    { path: "large", reason: "300000 bytes, and a patch shows 262144" },
    { path: "bytes", reason: "binary, 2304 bytes" },
  ]);
  expect(patch.text).toContain("+#!/bin/sh\0\n+evil one\n");
  expect(patch.text).toContain("+evil two\0\n");
  expect(patch.text).toContain('\n print("answer of 1.0.0")\n+more\u001b[31m\u202e\n');
  expect(patch.text).toContain("Binary files /dev/null and b/bytes differ\n");
  expect(patch.text).toContain("deleted file mode 100644\n");
  expect(patch.text).not.toMatch(/ignored|xxx/);
  const { stdout } = await agent.snapshot("diff", id, "--patch");
  expect(stdout).toContain("\n+more\\u001b[31m\\u202e\n");
  expect(stdout).toContain("\n+#!/bin/sh\\u0000\n+evil one\n");
  expect(await agent.made("diff", id)).toMatchObject({ patch: null });
  expect(existsSync(marker)).toBe(false);
});

test("too much is said to be too much: deep, many, sparse and large", async () => {
  const agent = await snapshotAgent({ resource_limits: { storage: "256Mi", memory: "256Mi" } });
  const script = [
    "import os",
    "open('sparse', 'w').truncate(20 << 30)",
    "here = os.getcwd()",
    "for _ in range(60): os.mkdir('d' * 200); os.chdir('d' * 200)",
    "os.chdir(here); os.mkdir('many')",
    "for number in range(30000): open(f'many/{number}', 'w').close()",
  ];
  const id = await after(agent, script);
  const diff = await agent.made("diff", id);
  expect(diff.added).toHaveLength(30_000);
  expect(Object.values(reasonsOf(diff)).sort()).toEqual([
    "cannot be read: ENAMETOOLONG",
    "too large for a version: 21474836480 bytes",
  ]);
  expect(diff.added).not.toContain("sparse");
  const saved = await agent.made("save", id);
  expect(saved.refused).toEqual(diff.refused);
  expect(agent.git("ls-tree", "--name-only", `${saved.commit}:many`).split("\n")).toHaveLength(30_000);
  await agent.made("destroy", id);
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test("what goes on writing in the background writes nothing into a save", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const writer =
    "while :; do date +%s%N > new; mv new now; rm -f swap; ln -s /etc swap; rm -f swap; mkdir swap; echo x > swap/passwd; rm -r swap; done";
  await agent.made("exec", id, "--", "sh", "-c", `setsid sh -c '${writer}' >/dev/null 2>&1 & sleep 0.2`);
  for (let round = 0; round < 3; round++) {
    const { commit, made } = await agent.made("save", id);
    expect(made).toBe(true);
    expect(agent.git("show", `${commit}:now`)).toMatch(/^\d{19}$/);
    expect(agent.git("ls-tree", "-r", "--name-only", commit)).not.toMatch(/hosts|shadow/);
  }
});

test("an agent that destroys its own folder destroys nothing else", async () => {
  const agent = await snapshotAgent();
  const ran = await agent.snapshot(
    "run",
    "1.1.0",
    "--",
    "sh",
    "-c",
    "rm -rf /app/* /app/.[!.]* / 2>/dev/null; ls -A /app",
  );
  expect(ran.stdout).toBe("");
  expect(agent.git("status", "--porcelain")).toBe("");
  expect((await agent.snapshot("run", "1.1.0", "--", "cat", "logic.py")).stdout).toBe('print("answer of 1.0.0")\n');
  expect(agent.left()).toEqual(NOTHING_LEFT);
});
