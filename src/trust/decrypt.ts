import { Readable } from "node:stream";
import type { PrivateKey } from "openpgp";
import { KaiError } from "../error.js";
import { binaryKey } from "./key-block.js";
import { listSecretKeys, type SignerRequest, unlockedKey } from "./signer.js";

/** Opens messages with the user's own keys; a passphrase is asked for once. */
export class Decryption {
  readonly #request: SignerRequest;
  readonly #unlocked = new Map<string, Promise<PrivateKey>>();

  constructor(request: SignerRequest) {
    this.#request = request;
  }

  /**
   * The bytes in an OpenPGP message, piece by piece, before it is known whether they are whole: that is the reader's to find out.
   * E110 where no key of the user's opens it, E111 for a wrong passphrase, E102 for a damaged message.
   */
  async *open(message: Readable | Buffer): AsyncGenerator<Buffer> {
    const openpgp = await import("openpgp");
    const source = Readable.toWeb(Readable.from(message instanceof Buffer ? [message] : message));
    const config = { allowUnauthenticatedStream: true };
    try {
      const binaryMessage = source as ReadableStream<Uint8Array>;
      const read = await openpgp.readMessage({ binaryMessage, config });
      const ids = read.getEncryptionKeyIDs().map((id) => id.toHex().toUpperCase());
      const decryptionKeys = await this.#keyFor(ids);
      const { data } = await openpgp.decrypt({ message: read, decryptionKeys, format: "binary", config });
      for await (const chunk of data as unknown as AsyncIterable<Uint8Array>) yield Buffer.from(chunk);
    } catch (cause) {
      if (cause instanceof KaiError) throw cause;
      throw new KaiError("E102", `Encrypted state cannot be opened: ${(cause as Error).message}`, { cause });
    }
  }

  async #keyFor(ids: readonly string[]): Promise<PrivateKey> {
    for (const block of await listSecretKeys(this.#request)) {
      if (![block.primary, ...block.subkeys].some(({ keyId }) => ids.includes(keyId))) continue;
      const { fingerprint } = block.primary;
      const known = this.#unlocked.get(fingerprint) ?? this.#unlock(block);
      this.#unlocked.set(fingerprint, known);
      return known;
    }
    throw new KaiError("E110", `The state was encrypted to ${ids.join(", ")}, and none of these keys is here.`, {
      hint: "Restore it as somebody of the policy of that time, or `git kai-version key import` your secret key.",
    });
  }

  async #unlock(block: Parameters<typeof unlockedKey>[0]): Promise<PrivateKey> {
    const openpgp = await import("openpgp");
    return openpgp.readPrivateKey({ binaryKey: binaryKey(await unlockedKey(block, this.#request)) });
  }
}
