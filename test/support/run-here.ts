import { findCommand } from "../../src/cli/find-command.js";
import type { Output } from "../../src/cli/output.js";
import { parseCommandLine } from "../../src/cli/parse-command-line.js";

/** Runs a command in this process, which saves the start of another one; nobody is there to answer it. Throws what it throws. */
export async function runHere(
  { dir, env }: { readonly dir: string; readonly env: NodeJS.ProcessEnv },
  args: readonly string[],
  output: Output,
): Promise<void> {
  const nobody = () => Promise.reject(new Error("nobody is here to be asked"));
  const found = findCommand(args);
  const command = await found?.load();
  const line = command && found && parseCommandLine(command, found.argv);
  if (!line) throw new Error(`no such command: ${args.join(" ")}`);
  await command.run(line.input as never, {
    cwd: dir,
    env,
    now: () => new Date(),
    output,
    interactive: false,
    askSecret: nobody,
    choose: nobody,
  });
}
