import { KaiError } from "../../error.js";
import { type Verification, verifyVersions } from "../../version/verify.js";
import { callerOf, tellConfigBroken } from "../caller.js";
import { defineCommand, flag, rest } from "../define-command.js";
import type { Output } from "../output.js";

export const verifyCommand = defineCommand({
  name: "verify",
  summary: "Prove who released what: signatures, records, the log, and the content",
  description:
    "Verifies the version in force, those that are named, or all: each tag's signature and name by its raw bytes, its record, and what this clone has not yet seen of the log. --deep believes nothing that was found before: it verifies the log from its first entry on, every signature, and computes every hash again from the objects. It ends with 1 when one fails. Tags of other tools are verified with keys that you imported.",
  arguments: { versions: rest("versions; default: the one in force") },
  options: {
    all: flag("every version there is"),
    deep: flag("verify all of the log and every signature anew, compute version hashes and captures again"),
  },
  examples: [{ line: "git kai-version verify --all --deep", does: "proves everything that this clone has" }],
  async run({ versions, all, deep }, context) {
    if (all && versions.length > 0)
      throw new KaiError("E122", "--all verifies every version, so none can be named beside it.");
    const verification = await verifyVersions(callerOf(context, tellConfigBroken), { versions, all, deep });
    context.output.result(verification, describeVerification);
    if (!verification.ok) process.exitCode = 1;
  },
});

/** Versions in order that need no line each. */
const LISTED = 20;

function describeVerification(result: Verification, { style }: Output): string {
  const lines: string[] = [];
  for (const version of result.versions) {
    if (version.ok && version.remarks === undefined && result.total > LISTED) continue;
    const mark = version.ok ? style.green("✓") : version.unproven ? style.yellow("?") : style.red("✗");
    const signer = version.signature.signer === null ? "" : `  ${version.signature.signer}`;
    const reason = version.signature.reason === null ? "" : style.dim(`  ${version.signature.reason}`);
    lines.push(`${mark} ${version.tag}  ${version.signature.outcome}${signer}${reason}`);
    for (const problem of version.problems) lines.push(`    ${style.red(problem.message)}`);
    for (const remark of version.remarks ?? []) lines.push(`    ${style.dim(remark)}`);
  }
  for (const problem of result.log.problems) lines.push(`${style.yellow("log")}  ${problem.message}`);
  if (result.log.root !== null) lines.push(style.dim(`log  from ${result.log.root} (${result.log.origin})`));
  const parts = [
    `${result.total - result.failed - result.unproven} of ${result.total} ${result.total === 1 ? "version is" : "versions are"} proven`,
  ];
  if (result.unproven > 0) parts.push(`${result.unproven} of other tools are neither proven nor disproven`);
  if (result.failed > 0) parts.push(style.red(`${result.failed} failed`));
  lines.push(`${result.ok ? style.green("✓") : style.red("✗")} ${parts.join(", ")}.`);
  return lines.join("\n");
}
