import { readFile, realpath } from "node:fs/promises";
import { type AgentConfig, loadAgentConfig } from "../agent/config.js";
import { decodeConfig } from "../agent/find-config.js";
import { KaiError } from "../error.js";
import { latin1Path, pathBelow, readablePath } from "../system/path-bytes.js";
import { createKeyRing, verifySignature } from "../trust/signature.js";
import type { LoadedState } from "./captured-state.js";
import { changedDeployment } from "./changed-deployment.js";
import { checkDeployment, type Deployment, readDeployment } from "./deployment.js";
import { sha256 } from "./plain-repository.js";

export interface LoadDeploymentOptions {
  /**
   * Public keys (armored or binary) of those who may release: the version's tag must be signed by one of them. Without any,
   * all that is proven is that the folder agrees with itself.
   */
  readonly keys?: readonly (string | Uint8Array)[];
  /** The clock, for `verifiedAt`. */
  readonly now?: () => Date;
}

/** A deployment of which every file was verified. */
export interface LoadedDeployment {
  readonly agentId: string;
  /** Without prefix: `1.4.0`. */
  readonly version: string;
  readonly commit: string;
  /** The version hash: the digest of the manifest that every file was compared with. */
  readonly hash: string;
  /** Fingerprint of the key, one of those given, that signed the version; null where none was given. */
  readonly signedBy: string | null;
  /** The folder itself, links resolved: what `current` leads to may be another one soon. */
  readonly folder: string;
  /** The version's kai.yaml. */
  readonly config: AgentConfig;
  /** What was captured with the version, as the folder holds it; null where it holds none. */
  readonly state: LoadedState | null;
  /** Files that `lifecycle.install` made: as they were then, and vouched for by nobody. */
  readonly installed: readonly string[];
  /** Paths of submodules, which a deployment does not hold. */
  readonly submodules: readonly string[];
  readonly verifiedAt: Date;
}

/**
 * Verifies a deployment (`versions/vX.Y.Z`, or `current`), which needs neither its repository nor a git binary, starts no
 * process and writes nothing: the signed tag names record, version hash and capture; the manifest has that hash; every file is
 * in it, and the folder holds no other. E102 where something does not match, with every path in `data.paths`.
 */
export async function loadDeployment(dir: string, options: LoadDeploymentOptions = {}): Promise<LoadedDeployment> {
  const folder = await realpath(dir).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT") throw cause;
    throw new KaiError("E123", `There is no deployment ${dir}.`, {
      hint: "`git kai-version deploy` makes one.",
      cause,
    });
  });
  const deployment = readDeployment(folder);
  const { seal } = deployment;
  const signedBy = options.keys === undefined ? null : await signerOf(deployment, options.keys);
  const problems = checkDeployment(deployment);
  if (problems.length > 0) throw changedDeployment(folder, problems);
  return {
    agentId: seal.agentId,
    version: seal.record.version,
    commit: seal.record.commit,
    hash: seal.hash,
    signedBy,
    folder,
    config: await readConfig(deployment),
    state: seal.state === null ? null : stateIn(deployment),
    installed: seal.installed.map(([name]) => name),
    submodules: deployment.submodules.map(readablePath),
    verifiedAt: (options.now ?? (() => new Date()))(),
  };
}

async function signerOf({ folder, seal }: Deployment, keys: readonly (string | Uint8Array)[]): Promise<string> {
  const verdict = await verifySignature({
    payload: seal.tag.payload,
    signature: seal.tag.signature ?? Buffer.alloc(0),
    keys: createKeyRing(keys.map((key, index) => ({ name: `key ${index}`, bytes: Buffer.from(key) }))),
    strict: true,
  });
  if (verdict.outcome === "good" && verdict.key !== undefined) return verdict.key;
  throw new KaiError(
    "E102",
    `The deployment ${folder} cannot be proven: the signature of ${seal.tag.name} is ${verdict.outcome}.`,
    {
      hint: "Give the public keys of those who may release: `git kai-version key export`.",
      data: { paths: [seal.tag.name] },
    },
  );
}

async function readConfig({ folder, files, seal }: Deployment): Promise<AgentConfig> {
  const bytes = files.has("kai.yaml")
    ? await readVerified(folder, "kai.yaml", files.get("kai.yaml")?.sha256)
    : undefined;
  if (bytes !== undefined) return await loadAgentConfig(decodeConfig(bytes, "kai.yaml"), "kai.yaml");
  throw new KaiError("E105", `${seal.tag.name} has no kai.yaml.`, { hint: "Make a new version that has one." });
}

const stateIn = ({ folder, state }: Deployment): LoadedState => ({
  files: state.map(({ captured, path: name, sha256: digest }) => ({
    path: captured.path,
    mode: captured.mode,
    size: captured.size,
    sha256: captured.sha256,
    ...(captured.encrypted && { encrypted: true }),
    read: () => readVerified(folder, latin1Path(name), digest),
  })),
});

/** The file's bytes, compared again: it may have been changed since. */
async function readVerified(folder: string, name: string, digest: string | undefined): Promise<Buffer> {
  const content = await readFile(pathBelow(folder, name));
  if (sha256(content) === digest) return content;
  throw changedDeployment(folder, [{ path: readablePath(name), problem: "changed" }]);
}
