import { KaiError } from "../error.js";
import { gitIdentity } from "../git/git-identity.js";
import { findDefaultKey } from "../trust/key-files.js";
import { generateKey, kaiHome } from "../trust/key-store.js";
import { openSigner, type Signer } from "../trust/signer.js";
import type { CommandContext } from "./context.js";

/** The key that founds an agent; one is made where there is none. */
export async function openOrMakeKey(
  context: CommandContext,
  askPassphrase: ((key: string) => Promise<string>) | undefined,
  yes: boolean,
): Promise<{ signer: Signer; made: boolean }> {
  const home = kaiHome(context.env);
  const request = { home, env: context.env, askPassphrase };
  try {
    return { signer: await openSigner(request), made: false };
  } catch (cause) {
    if (!isMissing(cause, context)) throw cause;
  }
  const { name, email } = await requireIdentity(context);
  const passphrase =
    context.interactive && !yes
      ? await context.askSecret(`Passphrase of a new signing key for ${name} <${email}> (empty for none): `)
      : "";
  const key = await generateKey({ home, name, email, passphrase: passphrase || undefined, at: context.now() });
  const asked = passphrase === "" ? request : { ...request, askPassphrase: async () => passphrase };
  return { signer: await openSigner({ ...asked, fingerprint: key.fingerprint }), made: true };
}

/** The key that `openOrMakeKey` would take, or that it would make one; nothing is made, and nobody is asked. */
export async function findFoundingKey(context: CommandContext): Promise<{ fingerprint: string | null; made: boolean }> {
  const { env } = context;
  const home = kaiHome(env);
  try {
    return { fingerprint: (await openSigner({ home, env })).fingerprint, made: false };
  } catch (cause) {
    // One with a passphrase is there all the same.
    if (cause instanceof KaiError && cause.code === "E111") {
      return { fingerprint: (env["KAI_SIGNING_KEY"] ? undefined : await findDefaultKey(home)) ?? null, made: false };
    }
    if (!isMissing(cause, context)) throw cause;
  }
  await requireIdentity(context);
  return { fingerprint: null, made: true };
}

const isMissing = (cause: unknown, { env }: CommandContext): boolean =>
  cause instanceof KaiError && cause.code === "E110" && !env["KAI_SIGNING_KEY"];

async function requireIdentity({ cwd, env }: CommandContext): Promise<{ name: string; email: string }> {
  const { name, email } = await gitIdentity(cwd, env);
  if (name && email) return { name, email };
  throw new KaiError("E110", "A signing key needs your name and address, and git does not know them.", {
    hint: "Set them with `git config user.name NAME` and `git config user.email ADDRESS`, or make a key with `git kai-version key generate`.",
  });
}
