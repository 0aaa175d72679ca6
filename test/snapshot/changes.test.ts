import { lstatSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { bench, sharedCache, testInSandbox } from "./sandbox.js";

const cache = sharedCache();

function contentOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return Object.fromEntries(
    names
      .filter((name) => lstatSync(path.join(folder, name)).isFile())
      .map((name) => [name, readFileSync(path.join(folder, name), "utf8")]),
  );
}

test("what a run changes is told, and the version's own files stay as they were", async () => {
  const files = {
    "edited.txt": "old",
    "opened.txt": "same",
    "removed.txt": "x",
    "replaced/one.txt": "1",
    "replaced/deep/two.txt": "2",
    "gone/three.txt": "3",
    "to-folder": "f",
    "to-file/four.txt": "4",
    "kept/five.txt": "5",
    "kept/six.txt": "6",
  };
  const { request, tree, tempDir } = bench(cache, files);
  const result = await testInSandbox(
    request([
      "sh",
      "-ec",
      `echo new > edited.txt; : >> opened.txt; rm removed.txt
       rm -r replaced; mkdir replaced; echo 1 > replaced/other.txt
       rm -r gone; rm to-folder; mkdir to-folder; echo x > to-folder/x; rm -r to-file; echo y > to-file
       echo 7 > kept/seven.txt; ln -s /etc/passwd link; mkdir empty; printf data > "naïve
name"; printf x > "$(printf '\\351')"`,
    ]),
  );
  expect(result.stderr).toBe("");
  expect(Object.fromEntries(result.artifacts.map(({ path: file, change }) => [file, change]))).toEqual({
    "%E9": "added",
    "edited.txt": "modified",
    "removed.txt": "deleted",
    "replaced/one.txt": "deleted",
    "replaced/deep/two.txt": "deleted",
    "replaced/other.txt": "added",
    "gone/three.txt": "deleted",
    "to-folder": "deleted",
    "to-folder/x": "added",
    "to-file": "added",
    "to-file/four.txt": "deleted",
    "kept/seven.txt": "added",
    "naïve\nname": "added",
  });
  expect(result.refused).toEqual([{ path: "link", reason: "a link to an absolute path" }]);
  expect(contentOf(tree)).toEqual(files);
  expect(readdirSync(tempDir)).toEqual([]);
});

test.each(["overlay", "none"] as const)(
  "of modes only the owner's executable bit is a change (files: %s)",
  async (filesystem) => {
    const { request } = bench(cache, { "a.txt": "a", "b.sh": "b", "c.txt": "c" });
    const command = ["sh", "-ec", "chmod 600 a.txt; chmod 744 b.sh; chmod g+w,o+x c.txt"] as const;
    const result = await testInSandbox(request(command, { settings: { filesystem } }));
    expect([result.stderr, result.artifacts]).toEqual(["", [{ path: "b.sh", change: "modified" }]]);
  },
);

test("FIFOs, sockets, setuid files and repositories are named and never opened", async () => {
  const { request } = bench(cache, { "a.txt": "a" });
  const hostile = [
    "import os, socket",
    "os.mkfifo('.gitignore')",
    "os.remove('a.txt'); os.mkfifo('a.txt')",
    "socket.socket(socket.AF_UNIX).bind('door')",
    "open('tool', 'w').close(); os.chmod('tool', 0o4755)",
    "os.makedirs('.GIT/hooks'); open('.GIT/config', 'w').close()",
    "os.makedirs('sub/.git'); open('sub/.git/config', 'w').close()",
    "os.symlink('/', 'everything'); os.symlink('loop', 'loop')",
    "os.mkdir('shut'); open('shut/in', 'w').close(); os.chmod('shut', 0)",
    "for _ in range(60): os.mkdir('d' * 200); os.chdir('d' * 200)",
  ].join("\n");
  const result = await testInSandbox(request(["/usr/bin/python3", "-c", hostile]));
  expect(result.stderr).toBe("");
  const reasons = Object.fromEntries(result.refused.map(({ path: file, reason }) => [file.slice(0, 20), reason]));
  expect(reasons).toMatchObject({
    ".gitignore": "a FIFO",
    "a.txt": "a FIFO",
    door: "a socket",
    tool: "setuid or setgid",
    ".GIT": "a repository of its own",
    "sub/.git": "a repository of its own",
    [`${"d".repeat(20)}`]: "cannot be read: ENAMETOOLONG",
  });
  expect(reasons["everything"]).toBe("a link to an absolute path");
  expect(result.artifacts).toContainEqual({ path: "loop", change: "added" });
});

test("the checkout's .git is not visible inside", async () => {
  const { request, tree } = bench(cache, { ".git": "gitdir: /somewhere/of/the/host", "a.txt": "a" });
  const result = await testInSandbox(request(["ls", "-A"]));
  expect(result).toMatchObject({ stdout: "a.txt\n", artifacts: [], refused: [] });
  expect(contentOf(tree)).toHaveProperty([".git"]);
});
