/** Marks all that a start command started, so that it can be found again and stopped. */
export const AGENT_MARK = "KAI_AGENT";

/** What these name lets whoever has it sign or log in as the user. */
const ACCESS = ["SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSH_ASKPASS", "GPG_AGENT_INFO"];

/** What an operation around this one told its own commands. */
const OF_ANOTHER_OPERATION = [AGENT_MARK, "KAI_FROM", "KAI_TO", "KAI_VERSION", "KAI_OPERATION", "KAI_DEPLOYMENT"];

const HOLDS_A_KEY = /(?:^|_)(?:PASSPHRASE|SIGNING_KEY)$/i;
const SECRET_KEY_BLOCK = "-----BEGIN PGP PRIVATE KEY BLOCK-----";

/**
 * The caller's environment as a command of kai.yaml gets it, and `own` on top: without what ties a git process to a
 * repository, keys, passphrases, and the sockets of agents that hold keys. What else the agent needs, such as the key of the
 * model that it asks, is left.
 */
export function agentEnvironment(env: NodeJS.ProcessEnv, own: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const dropped = new Set([...ACCESS, ...OF_ANOTHER_OPERATION]);
  const kept = Object.entries(env).filter(
    ([name, value]) =>
      !(name.startsWith("GIT_") || dropped.has(name) || HOLDS_A_KEY.test(name) || value?.includes(SECRET_KEY_BLOCK)),
  );
  return { ...Object.fromEntries(kept), ...own };
}
