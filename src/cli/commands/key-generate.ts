import { KaiError } from "../../error.js";
import { gitIdentity } from "../../git/git-identity.js";
import { generateKey, kaiHome } from "../../trust/key-store.js";
import type { CommandContext } from "../context.js";
import { defineCommand, flag, value } from "../define-command.js";
import { printable } from "../style.js";

export const keyGenerateCommand = defineCommand({
  name: "key generate",
  summary: "Make a key to sign versions with",
  description:
    "Makes an Ed25519 OpenPGP key without end and keeps it in $KAI_HOME, readable by you alone. The first key becomes the " +
    "default one. Name and e-mail address are git's user.name and user.email unless given.",
  examples: [
    { line: "git kai-version key generate", does: "Ask for a passphrase and make a key for git's user." },
    {
      line: 'git kai-version key generate --name "CI" --email ci@example.com --no-passphrase',
      does: "Make a key that signs unattended.",
    },
  ],
  options: {
    name: value("NAME", "the owner's name"),
    email: value("ADDRESS", "the owner's e-mail address"),
    passphraseEnv: value("VAR", "take the passphrase from this environment variable"),
    noPassphrase: flag("protect the key by the file's permissions alone"),
    default: flag("sign with it from now on, even if there is a default key"),
  },
  async run(options, context) {
    const { cwd, env, now, output } = context;
    const identity = options.name && options.email ? undefined : await gitIdentity(cwd, env);
    const name = options.name ?? identity?.name;
    const email = options.email ?? identity?.email;
    if (name === undefined || email === undefined) {
      throw new KaiError("E122", `A key needs its owner's ${name === undefined ? "name" : "e-mail address"}.`, {
        hint: "Give `--name` and `--email`, or set git's user.name and user.email.",
      });
    }
    const passphrase = await passphraseFor(options, context);
    const key = await generateKey({
      home: kaiHome(env),
      name,
      email,
      passphrase,
      at: now(),
      makeDefault: options.default,
    });
    output.result(
      { ...key, roles: [] },
      ({ fingerprint, owner, status }, { style }) => {
        const used =
          status === "default" ? "It signs your versions from now on." : "Another key stays the default one.";
        return `Made key ${style.bold(fingerprint)} for ${printable(owner)}. ${used}`;
      },
      ({ fingerprint }) => fingerprint,
    );
  },
});

async function passphraseFor(
  options: { passphraseEnv: string | undefined; noPassphrase: boolean },
  { env, interactive, askSecret }: CommandContext,
): Promise<string | undefined> {
  if (options.noPassphrase && options.passphraseEnv !== undefined) {
    throw new KaiError("E122", "--passphrase-env and --no-passphrase cannot go together.");
  }
  if (options.noPassphrase) return undefined;
  if (options.passphraseEnv !== undefined) {
    const passphrase = env[options.passphraseEnv];
    if (passphrase) return passphrase;
    throw new KaiError("E122", `The environment variable ${options.passphraseEnv} holds no passphrase.`);
  }
  if (!interactive) {
    throw new KaiError("E122", "Nobody is here to ask for a passphrase.", {
      hint: "Give `--passphrase-env VAR`, or `--no-passphrase` for a key that signs unattended.",
    });
  }
  const passphrase = await askSecret("Passphrase for the new key: ");
  if (passphrase === "") {
    throw new KaiError("E122", "The passphrase is empty.", { hint: "`--no-passphrase` makes a key without one." });
  }
  if (passphrase !== (await askSecret("The same once more: "))) {
    throw new KaiError("E111", "The two passphrases differ.", { hint: "No key was made: run it again." });
  }
  return passphrase;
}
