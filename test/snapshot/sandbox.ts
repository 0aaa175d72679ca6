import {
  chmodSync,
  chownSync,
  cpSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll } from "vitest";
import type { SandboxLimits, SandboxRequest } from "../../src/snapshot/test-in-sandbox.js";
import { scratch } from "../support/scratch.js";

const MIB = 1024 * 1024;
/** Whoever runs the tests, the sandbox's user is 1000 inside. */
export const USER = { uid: 1000, gid: 1000 };

/** A cache that the tests of one file share, so that the machine is looked at once. */
export function sharedCache(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "kai-test-cache-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Bench {
  tree: string;
  tempDir: string;
  env: NodeJS.ProcessEnv;
  /** A request that runs `command` over the tree. */
  request(
    command: readonly string[],
    more?: Partial<Omit<SandboxRequest, "limits">>,
    limits?: Partial<SandboxLimits>,
  ): SandboxRequest;
}

let runs = 0;

/** A folder of files that belongs to the sandbox's user, and requests over it. */
export function bench(cacheDir: string, files: Record<string, string> = {}): Bench {
  const { dir, env } = scratch();
  const tree = path.join(dir, "tree");
  mkdirSync(tree);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(tree, name)), { recursive: true });
    writeFileSync(path.join(tree, name), content);
  }
  giveToSandbox(tree);
  const tempDir = path.join(dir, "temp");
  return {
    tree,
    tempDir,
    env,
    request: (command, more = {}, limits = {}) => ({
      id: `test-${process.pid}-${++runs}`,
      tree,
      command,
      expect: {},
      base: { kind: "host" },
      security: {
        seccomp: true,
        apparmor: true,
        selinux: true,
        readOnlyRoot: true,
        noNewPrivileges: true,
        capabilities: [],
        user: USER,
      },
      limits: { cpus: 2, memoryBytes: 256 * MIB, storageBytes: 32 * MIB, pids: 64, timeoutMs: 60_000, ...limits },
      env,
      tempDir,
      cacheDir,
      ...more,
    }),
  };
}

/** Root makes the files over to the sandbox's user; anybody else is that user inside. */
function giveToSandbox(folder: string): void {
  if (process.getuid?.() !== 0) return;
  chownSync(folder, USER.uid, USER.gid);
  for (const name of readdirSync(folder, { recursive: true })) {
    lchownSync(path.join(folder, String(name)), USER.uid, USER.gid);
  }
}

/** A root folder that holds a shell and what it is linked with, to make an image of. */
export function smallestRoot(folder: string): void {
  for (const file of ["/usr/bin/dash", "/usr/bin/cat"]) {
    mkdirSync(path.join(folder, "bin"), { recursive: true });
    cpSync(file, path.join(folder, "bin", file.endsWith("dash") ? "sh" : path.basename(file)), { dereference: true });
  }
  for (const library of ["/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/libc.so.6"]) {
    mkdirSync(path.join(folder, path.dirname(library)), { recursive: true });
    cpSync(library, path.join(folder, library), { dereference: true });
    chmodSync(path.join(folder, library), 0o755);
  }
}
