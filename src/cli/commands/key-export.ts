import { exportKey, kaiHome } from "../../trust/key-store.js";
import { defineCommand, flag, optional } from "../define-command.js";

export const keyExportCommand = defineCommand({
  name: "key export",
  summary: "Print a key, armored, for gpg, a colleague or CI",
  examples: [
    { line: "git kai-version key export | gpg --import", does: "Let stock `git verify-tag` check your versions." },
    { line: "git kai-version key export --secret", does: "Print what CI takes in KAI_SIGNING_KEY." },
  ],
  arguments: { fingerprint: optional("the key; default: the one that signs") },
  options: { secret: flag("the secret key: still locked if it has a passphrase, open if it has none") },
  async run({ fingerprint, secret }, { env, output }) {
    const key = await exportKey(kaiHome(env), fingerprint, { secret });
    output.result({ ...key, roles: [] }, ({ armored }) => armored);
  },
});
