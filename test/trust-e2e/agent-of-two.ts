import path from "node:path";
import { ObjectReader } from "../../src/git/object-reader.js";
import { openRepository, type Repository } from "../../src/git/repository.js";
import { LOG_REF } from "../../src/operation/entry.js";
import { kaiFolderOf } from "../../src/operation/kai-folder.js";
import { exportKey, generateKey, kaiHome } from "../../src/trust/key-store.js";
import type { Policy, Role } from "../../src/trust/policy.js";
import { openSigner, type Signer } from "../../src/trust/signer.js";
import { writeTrustRoot } from "../../src/trust/trust-root.js";
import { findRootOf } from "../../src/trust/trusted-log.js";
import { type SmallAgent, smallAgent } from "../deploy/small-agent.js";
import { addEntry } from "../trust/hand-made-log.js";
import { signerFrom } from "../trust/signing.js";

/** Another signer, with a key of their own in a folder beside the agent's. */
export async function signerOf(
  agent: Pick<SmallAgent, "dir">,
  name: string,
): Promise<{ signer: Signer; secret: string }> {
  const home = path.join(path.dirname(agent.dir), name);
  await generateKey({ home, name, email: `${name}@example.com`, passphrase: undefined, at: new Date("2025-01-01") });
  const secret = (await exportKey(home, undefined, { secret: true })).armored;
  return { signer: await signerFrom(secret), secret };
}

export const policyOf = (principals: readonly [Signer, readonly Role[]][]): Policy => ({
  format: "kai-policy/1",
  principals: Object.fromEntries(
    principals.map(([{ email, fingerprint }, roles]) => [email, { keys: [fingerprint], roles }]),
  ),
  thresholds: { owner: 1 },
});

/** An agent that Ada owns and releases; Bob may roll back, and no more. */
export async function agentOfTwo(config?: string) {
  const agent = await smallAgent({ "logic.py": "print('hello')\n" }, config);
  const ada = await openSigner({ home: kaiHome(agent.env), env: agent.env });
  const { signer: bob, secret } = await signerOf(agent, "bob");
  const repository = await openRepository(agent.dir, agent.env);
  const trust = {
    policy: policyOf([
      [ada, ["owner", "releaser"]],
      [bob, ["operator"]],
    ]),
    keys: [ada, bob],
  };
  await addEntry(repository, { signer: ada, ...trust, at: new Date("2026-03-02T09:00:00Z") });
  await pin(repository);
  return { agent, ada, bob, repository, trust, asBob: { ...agent.env, KAI_SIGNING_KEY: secret } };
}

/** Pins the log as it is now, whatever was seen of it before. */
export async function pin(repository: Repository): Promise<void> {
  const reader = new ObjectReader(repository);
  try {
    const root = await findRootOf(repository, reader, LOG_REF);
    await writeTrustRoot(kaiFolderOf(repository).trust, { ...root, origin: "founded" });
  } finally {
    reader.close();
  }
}
