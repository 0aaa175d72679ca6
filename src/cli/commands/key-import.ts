import { readFile } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../../error.js";
import { importKey, kaiHome } from "../../trust/key-store.js";
import { defineCommand, flag, required } from "../define-command.js";
import { printable } from "../style.js";

export const keyImportCommand = defineCommand({
  name: "key import",
  summary: "Take in a key: a secret one to sign with, a public one to verify with",
  description:
    "Reads OpenPGP keys, armored or binary, one or several in a file. Public keys are kept to verify signatures with; that " +
    "gives nobody a role. Secret keys must be Ed25519.",
  examples: [
    { line: "git kai-version key import alice.asc", does: "Verify what Alice signed." },
    { line: "gpg --export alice | git kai-version key import -", does: "Take her key from gpg's keyring." },
  ],
  arguments: { file: required("a file, or - for standard input") },
  options: { default: flag("sign with the imported secret key from now on, even if there is a default key") },
  async run({ file, default: makeDefault }, { cwd, env, output }) {
    const bytes = file === "-" ? await readStandardInput() : await readKeyFile(path.resolve(cwd, file));
    const keys = await importKey(kaiHome(env), bytes, { makeDefault });
    output.result({ keys: keys.map((key) => ({ ...key, roles: [] })) }, (result) =>
      result.keys
        .map(({ fingerprint, owner, status }) => `Imported ${fingerprint} (${status}) of ${printable(owner)}`)
        .join("\n"),
    );
  },
});

async function readKeyFile(file: string): Promise<Buffer> {
  return await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === "ENOENT" ? "there is no such file" : (cause.code ?? cause.message);
    throw new KaiError("E123", `The key file ${file} could not be read: ${reason}.`, {
      hint: "`gpg --armor --export NAME > FILE` writes one of gpg's; `-` reads standard input.",
      cause,
    });
  });
}

async function readStandardInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
