import path from "node:path";
import { createClassifier, stateIgnoreLines } from "../agent/component.js";
import { type AgentConfig, loadAgentConfig } from "../agent/config.js";
import { detectFramework } from "../agent/detect-framework.js";
import { decodeConfig } from "../agent/find-config.js";
import { formatNewConfig, planIgnoreLines } from "../agent/write-config.js";
import { KaiError } from "../error.js";
import { listTree, type TreeListing } from "../git/list-tree.js";
import { type GitObject, makeObject, makeTrees } from "../git/object.js";
import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import { readablePath } from "../system/path-bytes.js";
import { CONFIG_FILE } from "./agent-repository.js";
import { readStart } from "./framework-of.js";
import { readPlainFile } from "./read-plain-file.js";
import type { WorkTreeStatus } from "./work-tree-status.js";

const IGNORE_FILE = ".gitignore";

/** More than this is no kai.yaml and no .gitignore. */
const OWN_LIMIT = 1024 * 1024;

export interface InitialFiles {
  readonly agentId: string;
  readonly framework: string;
  /** Files to write, with what the working tree is to hold; those that hold it already are left out. */
  readonly changed: readonly { readonly path: string; readonly content: Buffer }[];
  /** The files that are ours to write, whether they change or not. */
  readonly own: ReadonlySet<string>;
  /** State files that git tracks (latin1 paths): it forgets them, and they stay. */
  readonly untracked: readonly string[];
  /** The tree that the index and working tree hold now. */
  readonly from: string;
  /** The tree with these files; undefined where HEAD has it all. */
  readonly tree: GitObject | undefined;
  readonly objects: readonly GitObject[];
}

/** Decides what `init` writes: kai.yaml where there is none, the ignore lines of state, and what git is to forget. */
export async function planInitialFiles(
  repository: Repository & { workTree: string },
  status: WorkTreeStatus,
  wantedId: string | undefined,
): Promise<InitialFiles> {
  const tracked = status.head === null ? [] : await listTree(repository, status.head);
  refuseDirty(status);
  const names = [...tracked.map((file) => file.path), ...status.untracked].map(readablePath);
  const [presentConfig, presentIgnore] = [
    await readOwn(repository, tracked, CONFIG_FILE),
    await readOwn(repository, tracked, IGNORE_FILE),
  ];
  const existing = presentConfig.committed && decodeConfig(presentConfig.committed, CONFIG_FILE);
  const detection = await detectFramework(names, (name) => readStart(repository.workTree, name));
  const agentId = wantedId ?? idFrom(repository.workTree);
  const configText = existing ?? formatNewConfig(detection, agentId);
  const config = await loadAgentConfig(configText, CONFIG_FILE);
  if (existing !== undefined) requireSameId(config, wantedId);
  const ignoring = (present: Buffer | undefined) =>
    addIgnoreLines(present ?? Buffer.alloc(0), stateIgnoreLines(config));
  const wanted: WantedFile[] = [
    {
      path: CONFIG_FILE,
      present: presentConfig.here,
      content: presentConfig.here ?? Buffer.from(configText),
      committed: presentConfig.committed ?? Buffer.from(configText),
    },
    {
      path: IGNORE_FILE,
      present: presentIgnore.here ?? Buffer.alloc(0),
      content: ignoring(presentIgnore.here),
      committed: ignoring(presentIgnore.committed),
    },
  ];
  const componentOf = createClassifier(config.version_management.artifacts);
  const untracked = tracked.filter((file) => componentOf(readablePath(file.path)) === "state").map((file) => file.path);
  return {
    agentId: config.agent_id,
    framework: detection.framework,
    changed: wanted
      .filter((file) => file.present === undefined || !file.content.equals(file.present))
      .map(({ path: name, content }) => ({ path: name, content })),
    own: new Set(wanted.map((file) => file.path)),
    untracked,
    ...newTree(repository, tracked, wanted, untracked),
  };
}

/** Refuses (E106) another id than kai.yaml has. */
export function requireSameId(config: Pick<AgentConfig, "agent_id">, wantedId: string | undefined): void {
  if (wantedId === undefined || config.agent_id === wantedId) return;
  throw new KaiError("E106", `kai.yaml says agent_id ${config.agent_id}, not ${wantedId}.`, {
    hint: "Change it there, or leave --agent-id out.",
  });
}

interface WantedFile {
  readonly path: string;
  /** What the working tree holds; undefined for no file. */
  readonly present: Buffer | undefined;
  /** What the working tree is to hold, and what the commit: git's filters, such as line ends, lie between them. */
  readonly content: Buffer;
  readonly committed: Buffer;
}

function newTree(
  repository: Repository,
  tracked: readonly TreeListing[],
  wanted: readonly WantedFile[],
  untracked: readonly string[],
): Pick<InitialFiles, "from" | "tree" | "objects"> {
  const { objectFormat } = repository;
  const files = new Map(tracked.map((file) => [file.path, { mode: file.mode, id: file.id }]));
  const before = treesOf(files, repository);
  const blobs = wanted
    .filter((file) => file.committed.length > 0)
    .map((file) => ({ ...file, blob: makeObject("blob", file.committed, objectFormat) }));
  for (const name of untracked) files.delete(name);
  for (const { path: name, blob } of blobs) files.set(name, { mode: files.get(name)?.mode ?? "100644", id: blob.id });
  const after = treesOf(files, repository);
  const same = before.root.id === after.root.id;
  return {
    from: before.root.id,
    tree: same ? undefined : after.root,
    // The tree that the index holds may not be in the repository: on a branch without commits it is the empty one.
    objects: [...blobs.map(({ blob }) => blob), ...after.trees, ...(tracked.length === 0 ? [before.root] : [])],
  };
}

const treesOf = (files: ReadonlyMap<string, { mode: string; id: string }>, repository: Repository) =>
  makeTrees(files, repository.objectFormat, "latin1");

/** A change of the user's own in these files would be committed in our name. */
function refuseDirty(status: WorkTreeStatus): void {
  const dirty = [CONFIG_FILE, IGNORE_FILE].filter((name) => status.dirty.includes(name));
  if (dirty.length === 0) return;
  throw new KaiError("E102", `${dirty.join(" and ")} has changes that are not committed.`, {
    hint: "Commit or stash them and run `git kai-version init` again.",
  });
}

interface OwnFile {
  /** The working tree's bytes; HEAD's where a sparse checkout leaves the file out. */
  readonly here: Buffer | undefined;
  /** HEAD's bytes where git tracks the file (it has no change, or we would not be here), else what is here. */
  readonly committed: Buffer | undefined;
}

/** One of the files that are ours to write. E123 where a link or another thing is in its place. */
async function readOwn(
  repository: Repository & { workTree: string },
  tracked: readonly TreeListing[],
  name: string,
): Promise<OwnFile> {
  const found = await readPlainFile(path.join(repository.workTree, name), OWN_LIMIT);
  const known = tracked.find((file) => file.path === name);
  if (found.kind === "other" || (known && !known.mode.startsWith("100"))) throw notPlain(name);
  if (found.kind === "file" && !found.whole) {
    throw new KaiError("E123", `${name} is larger than ${OWN_LIMIT / 1024} KiB.`, {
      hint: "Make it smaller, commit it and run `git kai-version init` again.",
    });
  }
  const here = found.kind === "file" ? found.bytes : undefined;
  if (known === undefined) return { here, committed: here };
  const same = here !== undefined && makeObject("blob", here, repository.objectFormat).id === known.id;
  const committed = same ? here : await runGit(repository, ["cat-file", "blob", known.id]);
  return { here: here ?? committed, committed };
}

export const notPlain = (name: string): KaiError =>
  new KaiError("E123", `${name} is not a regular file: a link, a folder or another thing is in its place.`, {
    hint: `Nothing was changed. Remove it, write a file of its own there, commit that, and run \`git kai-version init\` again.`,
  });

/** A .gitignore with the lines of state; every byte that was there stays, UTF-8 or not. */
function addIgnoreLines(existing: Buffer, statePaths: readonly string[]): Buffer {
  const text = existing.toString("latin1");
  const lines = statePaths.map((line) => Buffer.from(line).toString("latin1"));
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const block = planIgnoreLines("", lines).replaceAll("\n", eol);
  const hasBlock = text.split(/\r?\n/).includes(block.split(eol, 1)[0] ?? "");
  if (block !== "" && text.includes(block)) return existing;
  if (block === "" || hasBlock) return Buffer.from(planIgnoreLines(text, lines), "latin1");
  const ended = text === "" || text.endsWith("\n") ? text : text + eol;
  const parted = ended === "" || /(?:^|\n)\r?\n$/.test(ended) ? ended : ended + eol;
  return Buffer.from(parted + block, "latin1");
}

/** An id from the folder's name: letters, digits, dots, dashes and underscores. */
function idFrom(workTree: string): string {
  const id = path
    .basename(workTree)
    .normalize("NFKD")
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "");
  return id === "" ? "agent" : id;
}
