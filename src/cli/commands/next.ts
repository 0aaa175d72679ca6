import { type NextVersion, readNext } from "../../version/next.js";
import { tellConfigGone } from "../caller.js";
import { defineCommand } from "../define-command.js";
import type { Output } from "../output.js";

export const nextCommand = defineCommand({
  name: "next",
  summary: "Say which number is next, and why",
  description: "Judges the commits since the version in force came into force, by Conventional Commits.",
  async run(_input, context) {
    context.output.result(await readNext(context.cwd, context.env, tellConfigGone(context)), describeNext);
  },
});

function whyOf({ current, required, changeDetection }: NextVersion): string {
  if (current === null) return "would be the first version";
  if (!changeDetection) return `after ${current}: change_detection is off, so nothing that changed asks for a bump`;
  return `after ${current}: the changes ask for ${required === "none" ? "no bump" : required}`;
}

function describeNext(next: NextVersion, { style }: Output): string {
  if (next.next === null) return `Nothing came since ${next.current}.`;
  const paint = { major: style.red, minor: style.yellow, patch: style.green, none: style.dim };
  const lines = [`${style.bold(next.next)}  ${whyOf(next)}`];
  if (next.reasons.length > 0) lines.push("");
  for (const reason of next.reasons) {
    lines.push(`  ${paint[reason.level](reason.level.padEnd(5))}  ${reason.message}  ${style.dim(reason.rule)}`);
  }
  return lines.join("\n");
}
