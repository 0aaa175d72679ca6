import { readCurrent } from "../../version/current.js";
import { defineCommand } from "../define-command.js";
import { formatTime } from "../format-time.js";

export const currentCommand = defineCommand({
  name: "current",
  summary: "Say which version is in force",
  description: "In a pipe it prints the bare number, so that scripts can take it as it is.",
  async run(_input, context) {
    const current = await readCurrent(context.cwd, context.env);
    context.output.result(current, (value, output) =>
      output.columns === undefined
        ? value.version
        : `${output.style.bold(value.version)}  ${value.commit.slice(0, 10)}  ${output.style.dim(`since ${formatTime(value.since)}`)}`,
    );
  },
});
