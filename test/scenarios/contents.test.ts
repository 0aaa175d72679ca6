import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { agentWithVersions } from "../support/agent.js";
import { doEverything, type Place, placeAt, readEverything, told } from "./place.js";

/** The version hash by nothing but Python and git, from the words of docs/formats.md. */
const RECOMPUTE = `
import hashlib, json, subprocess, sys
git = lambda *args: subprocess.check_output(["git", *args])
files = []
for line in git("ls-tree", "-r", "-z", "--full-tree", sys.argv[1]).split(b"\\0")[:-1]:
    meta, path = line.split(b"\\t", 1)
    mode, kind, oid = meta.decode().split(" ")
    digest = oid if kind == "commit" else hashlib.sha256(git("cat-file", "blob", oid)).hexdigest()
    try:
        name = path.decode("utf-8")
    except UnicodeDecodeError:
        name = "/" + "".join(chr(b) if b < 128 and b != 37 else "%%%02X" % b for b in path)
    files.append((path, [name, mode, digest]))
files = [each for _, each in sorted(files)]
text = json.dumps({"entities": [], "files": files, "format": "kai-manifest/1"}, ensure_ascii=False, separators=(",", ":"))
print("sha256:" + hashlib.sha256(text.encode()).hexdigest())
`;

const recomputed = (place: Place, version: string): string =>
  execFileSync("python3", ["-c", RECOMPUTE, version], { cwd: place.dir, env: place.env, encoding: "utf8" }).trim();

/** Every kind of file that git can hold. */
function writeOddFiles(place: Place): void {
  place.write("with blank.txt", "a\n");
  place.write("with\nline feed.txt", "b\n");
  place.write('quote"and\\backslash.txt', "c\n");
  place.write("über/ñandú/日本語.txt", "d\n");
  place.write("tab\there.txt", "e\n");
  place.write("-dash.txt", "f\n");
  place.write("100%25.txt", "g\n");
  place.write(":(glob)*.txt", "h\n");
  place.write("empty", "");
  place.write("binary", Buffer.from([0, 255, 13, 10, 0, 26]));
  place.write("crlf.txt", "one\r\ntwo\r\n");
  place.write("control\u0001.txt", "i\n");
  place.write("run.sh", "#!/bin/sh\necho run\n");
  chmodSync(path.join(place.dir, "run.sh"), 0o755);
  symlinkSync("run.sh", path.join(place.dir, "link"));
  symlinkSync("../outside and nowhere", path.join(place.dir, "dangling"));
  const bytes = Buffer.concat([Buffer.from(`${place.dir}/latin1-`), Buffer.from([0xe9, 0xff]), Buffer.from(".txt")]);
  writeFileSync(bytes, "j\n");
  place.write("weights.bin", `version https://git-lfs.github.com/spec/v1\noid sha256:${"ab".repeat(32)}\nsize 12345\n`);
  place.write(".gitattributes", "*.bin filter=lfs -text\n");
}

async function oddAgent(): Promise<Place> {
  const agent = await agentWithVersions("1.0.0");
  const place = placeAt(agent.dir, agent.env);
  writeOddFiles(place);
  const library = path.join(path.dirname(agent.dir), "library");
  mkdirSync(library);
  const other = placeAt(library, agent.env);
  other.git("init", "-q");
  other.commit("x");
  place.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "vendor/library");
  place.commit("feat: every kind of file");
  return place;
}

test("every kind of file and name is versioned, left, and brought back", async () => {
  const place = await oddAgent();
  const created = await told(place, "create");
  expect(created.hash).toBe(recomputed(place, "v1.1.0"));
  expect(created.record.lfs).toEqual([{ path: "weights.bin", oid: `sha256:${"ab".repeat(32)}`, size: 12345 }]);
  const tree = place.git("rev-parse", "v1.1.0^{tree}");
  expect(await told(place, "compare", "1.0.0", "1.1.0")).toMatchObject({ from: "1.0.0" });
  await told(place, "rollback", "1.0.0");
  await readEverything(place);
  expect(place.git("rev-parse", "HEAD^{tree}")).toBe(place.git("rev-parse", "v1.0.0^{tree}"));
  expect(place.git("status", "--porcelain", "--untracked-files=all", "--", ":!vendor")).toBe("");
  await told(place, "undo");
  expect(place.git("rev-parse", "HEAD^{tree}")).toBe(tree);
  expect(place.git("status", "--porcelain")).toBe("");
  expect(place.git("fsck", "--strict", "--no-dangling")).toBe("");
});

test("the version hash is that of the stored bytes, whatever alters files on their way out", async () => {
  const place = await oddAgent();
  place.write("subst.txt", "$Format:%H$ and $Id$\n");
  place.write(
    ".gitattributes",
    "*.bin filter=lfs -text\nempty export-ignore\nsubst.txt export-subst ident\n*.txt filter=hostile eol=crlf\nlogic.py working-tree-encoding=UTF-16\n",
  );
  place.git("config", "core.autocrlf", "false");
  place.git("add", "--all");
  place.git("add", "--renormalize", ".");
  place.git("commit", "-q", "-m", "feat: attributes");
  const honest = (await told(place, "create")).hash;
  expect(honest).toBe(recomputed(place, "v1.1.0"));
  const copies: [string, Record<string, string>, NodeJS.ProcessEnv][] = [
    ["crlf", { "core.autocrlf": "true", "core.eol": "crlf" }, { LC_ALL: "C", TZ: "Pacific/Kiritimati" }],
    [
      "filtered",
      { "filter.hostile.smudge": "sed s/a/b/", "filter.hostile.clean": "sed s/b/c/", "filter.lfs.smudge": "tr a b" },
      { LC_ALL: "tr_TR.UTF-8", LANG: "tr_TR.UTF-8", TZ: "America/St_Johns" },
    ],
    ["plain", { "core.fileMode": "false", "core.symlinks": "false", "core.precomposeUnicode": "true" }, {}],
  ];
  const umask = process.umask(0o077);
  try {
    for (const [name, settings, env] of copies) {
      const dir = path.join(path.dirname(place.dir), name);
      place.git("clone", "-q", "--no-checkout", place.dir, dir);
      const clone = placeAt(dir, { ...place.env, ...env });
      for (const [key, value] of Object.entries(settings)) clone.git("config", key, value);
      clone.git("checkout", "-q", "main");
      await told(clone, "init");
      expect(await told(clone, "verify", "--all", "--deep")).toMatchObject({ ok: true, failed: 0 });
      // A filter that does not give back what it took makes files dirty in git's own eyes.
      if (name === "filtered") continue;
      expect((await told(clone, "create", "--allow-unchanged", "--no-current")).hash).toBe(honest);
    }
  } finally {
    process.umask(umask);
  }
});

test("a working tree with CRLF by autocrlf is clean, goes back and comes again", async () => {
  const agent = await agentWithVersions("1.0.0");
  const place = placeAt(agent.dir, agent.env);
  place.git("config", "core.autocrlf", "true");
  place.git("rm", "-q", "-r", "--cached", ".");
  place.git("reset", "-q", "--hard");
  await doEverything(place, "1.0.0", "1.1.0");
});
