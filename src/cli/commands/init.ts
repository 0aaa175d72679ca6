import { KaiError } from "../../error.js";
import { gitIdentity } from "../../git/git-identity.js";
import { generateKey, kaiHome } from "../../trust/key-store.js";
import { openSigner, type Signer } from "../../trust/signer.js";
import { type InitResult, initAgent } from "../../version/init.js";
import { callerOf } from "../caller.js";
import type { CommandContext } from "../context.js";
import { defineCommand, flag, value } from "../define-command.js";
import type { Output } from "../output.js";

export const initCommand = defineCommand({
  name: "init",
  summary: "Put an agent's repository under version control, or adopt a clone of one",
  description:
    "Detects the framework, writes and commits kai.yaml and the ignore lines of runtime state, makes or adopts a signing key, and founds the signed log. On a clone of an agent it fetches the log, verifies all of it, and pins its first entry; run again, it takes in what the remote's log went on with.",
  options: {
    agentId: value("ID", "the agent's id; default: the folder's name"),
    yes: flag("ask nothing; a new key gets no passphrase", { short: "y" }),
    noCommit: flag("write the files and leave the commit to you"),
    newRoot: flag("found a new log although a remote has one"),
  },
  examples: [{ line: "git kai-version init", does: "makes the repository around you an agent" }],
  async run({ agentId, yes, noCommit, newRoot }, context) {
    const caller = callerOf(context);
    const result = await initAgent(
      { ...caller, openOrMakeKey: () => openOrMakeKey(context, caller.askPassphrase, yes) },
      { agentId, commit: !noCommit, newRoot },
    );
    context.output.result(result, describeInit);
  },
});

async function openOrMakeKey(
  context: CommandContext,
  askPassphrase: ((key: string) => Promise<string>) | undefined,
  yes: boolean,
): Promise<{ signer: Signer; made: boolean }> {
  const home = kaiHome(context.env);
  const request = { home, env: context.env, askPassphrase };
  try {
    return { signer: await openSigner(request), made: false };
  } catch (cause) {
    if (!(cause instanceof KaiError && cause.code === "E110") || context.env["KAI_SIGNING_KEY"]) throw cause;
  }
  const { name, email } = await gitIdentity(context.cwd, context.env);
  if (!name || !email) {
    throw new KaiError("E110", "A signing key needs your name and address, and git does not know them.", {
      hint: "Set them with `git config user.name NAME` and `git config user.email ADDRESS`, or make a key with `git kai-version key generate`.",
    });
  }
  const passphrase =
    context.interactive && !yes
      ? await context.askSecret(`Passphrase of a new signing key for ${name} <${email}> (empty for none): `)
      : "";
  const key = await generateKey({ home, name, email, passphrase: passphrase || undefined, at: context.now() });
  const asked = passphrase === "" ? request : { ...request, askPassphrase: async () => passphrase };
  return { signer: await openSigner({ ...asked, fingerprint: key.fingerprint }), made: true };
}

function describeInit(result: InitResult, { style }: Output): string {
  const lines: string[] = [];
  const heading = {
    founded: `${style.green("✓")} ${style.bold(result.agentId)} is an agent now.`,
    adopted: `${style.green("✓")} Adopted ${style.bold(result.agentId)}: its log was fetched and verified.`,
    updated: `${style.green("✓")} Took in what the remote's log says of ${style.bold(result.agentId)}, and verified it.`,
    present: `${style.bold(result.agentId)} is an agent already; nothing was changed.`,
  }[result.outcome];
  lines.push(heading, "");
  const row = (name: string, text: string) => lines.push(`  ${name.padEnd(11)}${text}`);
  if (result.framework !== "") row("framework", result.framework);
  const counts = Object.entries(result.artifacts).sort(([, a], [, b]) => b - a);
  if (counts.length > 0) row("files", counts.map(([kind, count]) => `${count} ${kind}`).join(", "));
  if (result.key) row("key", `${result.key.fingerprint}${result.key.made ? "  (new)" : ""}`);
  row("trust root", result.trustRoot.digest);
  if (result.written.length > 0)
    row(
      "written",
      `${result.written.join(", ")}${result.commit ? `  (commit ${result.commit.slice(0, 10)})` : "  (not committed)"}`,
    );
  if (result.untracked.length > 0)
    row("state", `${result.untracked.join(", ")}: git forgets it, each version captures it`);
  if (result.reserved.length > 0)
    row("reserved", `${result.reserved.length} numbers of tags that were here: ${shorten(result.reserved)}`);
  for (const { tag, reason } of result.skipped.slice(0, 5)) row("skipped", `${tag}: ${reason}`);
  if (result.skipped.length > 5) row("", `and ${result.skipped.length - 5} more`);
  if (result.outcome === "adopted") {
    lines.push(
      "",
      "Compare the trust root with the one its owner tells you; until then this clone takes it as it came.",
    );
  }
  if (result.outcome === "founded") lines.push("", 'Next: `git kai-version create -m "first version"`');
  return lines.join("\n");
}

const shorten = (items: readonly string[]): string =>
  items.length <= 6 ? items.join(", ") : `${items.slice(0, 3).join(", ")} … ${items.slice(-2).join(", ")}`;
