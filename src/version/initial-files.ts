import { readFile } from "node:fs/promises";
import path from "node:path";
import { createClassifier } from "../agent/component.js";
import { parseAgentConfig } from "../agent/config.js";
import { detectFramework } from "../agent/detect-framework.js";
import { formatNewConfig, planIgnoreLines } from "../agent/write-config.js";
import { KaiError } from "../error.js";
import { listTree } from "../git/list-tree.js";
import { type GitObject, makeObject, makeTrees } from "../git/object.js";
import type { Repository } from "../git/repository.js";
import { readablePath } from "../system/path-bytes.js";
import { CONFIG_FILE } from "./agent-repository.js";
import type { WorkTreeStatus } from "./work-tree-status.js";

const IGNORE_FILE = ".gitignore";

/** A detector reads no more than this of a file. */
const READ_LIMIT = 256 * 1024;

export interface InitialFiles {
  readonly agentId: string;
  readonly framework: string;
  /** Files to write, with their new content; those that hold it already are left out. */
  readonly changed: readonly { readonly path: string; readonly content: string }[];
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
  const read = (name: string) => readText(repository.workTree, name);
  const existing = await read(CONFIG_FILE);
  const detection = await detectFramework(names, read);
  const agentId = wantedId ?? idFrom(repository.workTree);
  const configText = existing ?? formatNewConfig(detection, agentId);
  const config = parseAgentConfig(configText, CONFIG_FILE);
  if (existing !== undefined && wantedId !== undefined && config.agent_id !== wantedId) {
    throw new KaiError("E106", `kai.yaml says agent_id ${config.agent_id}, not ${wantedId}.`, {
      hint: "Change it there, or leave --agent-id out.",
    });
  }
  const ignored = await read(IGNORE_FILE);
  const ignoreText = planIgnoreLines(ignored ?? "", config.version_management.artifacts.state.include);
  const wanted = [
    { path: CONFIG_FILE, content: configText, present: existing },
    { path: IGNORE_FILE, content: ignoreText, present: ignored ?? "" },
  ];
  const componentOf = createClassifier(config.version_management.artifacts);
  const untracked = tracked.filter((file) => componentOf(readablePath(file.path)) === "state").map((file) => file.path);
  return {
    agentId: config.agent_id,
    framework: detection.framework,
    changed: wanted
      .filter((file) => file.content !== file.present)
      .map(({ path: name, content }) => ({ path: name, content })),
    own: new Set(wanted.map((file) => file.path)),
    untracked,
    ...newTree(repository, tracked, wanted, untracked),
  };
}

function newTree(
  repository: Repository,
  tracked: readonly { path: string; mode: string; id: string }[],
  wanted: readonly { path: string; content: string }[],
  untracked: readonly string[],
): Pick<InitialFiles, "from" | "tree" | "objects"> {
  const { objectFormat } = repository;
  const files = new Map(tracked.map((file) => [file.path, { mode: file.mode, id: file.id }]));
  const before = treesOf(files, repository);
  const blobs = wanted
    .filter((file) => file.content !== "")
    .map((file) => ({ ...file, blob: makeObject("blob", file.content, objectFormat) }));
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

async function readText(workTree: string, name: string): Promise<string | undefined> {
  try {
    const text = await readFile(path.join(workTree, name), "utf8");
    return text.length > READ_LIMIT && name !== CONFIG_FILE && name !== IGNORE_FILE ? text.slice(0, READ_LIMIT) : text;
  } catch (cause) {
    if (["ENOENT", "EISDIR", "ENOTDIR", "ELOOP"].includes((cause as NodeJS.ErrnoException).code ?? ""))
      return undefined;
    throw cause;
  }
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
