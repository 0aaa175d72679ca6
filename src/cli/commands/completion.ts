import { nearest } from "../../agent/nearest.js";
import { KaiError } from "../../error.js";
import { bashCompletion } from "../completion/bash-completion.js";
import { completedCommand, SHELLS, type Shell } from "../completion/completed-command.js";
import { fishCompletion } from "../completion/fish-completion.js";
import { zshCompletion } from "../completion/zsh-completion.js";
import { type Command, defineCommand, required } from "../define-command.js";

/** The command, given those that it completes. */
export const completionCommandFor = (all: readonly { load: () => Promise<Command> }[]): Command =>
  defineCommand({
    name: "completion",
    summary: "Print a completion script for bash, zsh or fish",
    description:
      "Prints a script that completes commands, options, their values and versions behind `git kai-version`, `git-kai-version` and `kai`.",
    arguments: { shell: { ...required("bash, zsh or fish", parseShell), choices: SHELLS } },
    examples: [
      { line: 'eval "$(git kai-version completion bash)"', does: "in ~/.bashrc, for bash 4 or newer" },
      { line: "source <(git kai-version completion zsh)", does: "in ~/.zshrc, behind compinit" },
      { line: "git kai-version completion fish | source", does: "in ~/.config/fish/config.fish" },
    ],
    async run({ shell }, { output }) {
      const commands = await Promise.all(all.map(async ({ load }) => completedCommand(await load())));
      output.result({ shell, script: SCRIPTS[shell](commands) }, ({ script }) => script);
    },
  });

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

function parseShell(text: string): Shell {
  const shell = SHELLS.find((each) => each === text);
  if (shell) return shell;
  const close = nearest(text, SHELLS);
  throw new KaiError("E122", `There is no completion for '${text}'.`, {
    hint: close ? `Did you mean ${close}?` : "There is one for bash, zsh and fish.",
  });
}
