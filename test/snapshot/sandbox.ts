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
import { parseAgentConfig } from "../../src/agent/parse-agent-config.js";
import { SNAPSHOT_LABEL } from "../../src/podman/list-containers.js";
import { probeHost } from "../../src/podman/probe-host.js";
import { listChanges } from "../../src/snapshot/describe-changes.js";
import type { LimitSettings } from "../../src/snapshot/limit-settings.js";
import { requireSettings, unenforcedOn } from "../../src/snapshot/sandbox/requirements.js";
import { runInSandbox } from "../../src/snapshot/sandbox/run-in-sandbox.js";
import type { SandboxBase } from "../../src/snapshot/sandbox/sandbox.js";
import { makeSandboxFolder, removeSandboxFolder } from "../../src/snapshot/sandbox/sandbox-folder.js";
import { sandboxFolderIn } from "../../src/snapshot/sandbox/sandbox-names.js";
import { planSettings, type SnapshotSettings } from "../../src/snapshot/snapshot-settings.js";
import type { Expectations } from "../../src/snapshot/testing/expectations.js";
import { judgeExecution } from "../../src/snapshot/testing/judge-execution.js";
import { ownIdentity } from "../../src/system/process-identity.js";
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

export interface SandboxRequest {
  id: string;
  /** Who its files belong to. */
  tree: string;
  command: readonly [string, ...string[]];
  expect: Expectations;
  base: SandboxBase;
  settings: SnapshotSettings;
  env: NodeJS.ProcessEnv;
  tempDir: string;
  cacheDir: string;
  signal?: AbortSignal;
}

export interface Bench {
  tree: string;
  tempDir: string;
  env: NodeJS.ProcessEnv;
  /** A request that runs `command` over the tree. */
  request(
    command: readonly [string, ...string[]],
    more?: Partial<Omit<SandboxRequest, "settings">> & { settings?: Partial<SnapshotSettings> },
    limits?: Partial<LimitSettings>,
  ): SandboxRequest;
}

let runs = 0;

/** What kai.yaml asks for that says nothing of it, with limits that a test meets soon. */
export function usualSettings(limits: Partial<LimitSettings> = {}): SnapshotSettings {
  const settings = planSettings(parseAgentConfig("agent_id: ai.example.a\n", "kai.yaml").snapshot_isolation, {});
  const small = { memoryBytes: 256 * MIB, storageBytes: 32 * MIB, pids: 64, timeoutMs: 60_000 };
  return { ...settings, limits: { ...settings.limits, ...small, ...limits } };
}

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
    request: (command, { settings, ...more } = {}, limits = {}) => ({
      id: `test-${process.pid}-${++runs}`,
      tree,
      command,
      expect: {},
      base: { kind: "host" },
      settings: { ...usualSettings(limits), ...settings },
      env,
      tempDir,
      cacheDir,
      ...more,
    }),
  };
}

/** Runs it as a throw-away snapshot does, but without an agent. */
export async function testInSandbox(request: SandboxRequest) {
  const { id, tree, command, base, settings, env, tempDir, cacheDir, signal } = request;
  const host = await probeHost({ env, cacheDir, tempDir });
  const unenforced = unenforcedOn({ host, unenforced: requireSettings(host, settings) }, settings, base);
  const folder = sandboxFolderIn(tempDir, id);
  const owner = ownIdentity();
  const origin = {
    record: path.join(tempDir, "no-record"),
    owner,
    throwAway: true,
    expiresAt: new Date(0).toISOString(),
  };
  await makeSandboxFolder(folder, origin);
  try {
    const ran = await runInSandbox(
      {
        id,
        labels: { [SNAPSHOT_LABEL]: id },
        tree,
        folder,
        base,
        settings,
        secrets: {},
        seconds: 0,
        env,
        cacheDir,
        network: { kind: "none" },
        devices: { devices: [], groups: [] },
        command,
        timeoutMs: settings.limits.timeoutMs,
        seed: 7,
        logs: undefined,
        signal,
      },
      host,
      { mayFail: false },
    );
    if (!ran) throw new Error("it did not start");
    const { result, output, found, requests } = ran;
    const { exitCode, durationMs, timedOut, oomKilled, usage: resources } = result;
    const judged = judgeExecution({ exitCode, durationMs, timedOut, oomKilled, resources }, output, request.expect);
    return { ...judged, id, requests, ...listChanges(found), unenforced };
  } finally {
    await removeSandboxFolder(folder, { rootless: host.rootless, env });
  }
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
