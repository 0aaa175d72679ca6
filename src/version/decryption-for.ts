import { Decryption } from "../trust/decrypt.js";
import { kaiHome } from "../trust/key-store.js";
import type { Caller } from "./writing-session.js";

/** Opens encrypted captures with the caller's own keys. */
export const decryptionFor = ({ env, askPassphrase }: Pick<Caller, "env" | "askPassphrase">): Decryption =>
  new Decryption({ home: kaiHome(env), env, askPassphrase });
