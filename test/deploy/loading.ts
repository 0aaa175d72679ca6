import { loadAgent } from "../../src/deploy/load-agent.js";
import { type SmallAgent, smallAgent } from "./small-agent.js";

/** An agent with a file of each kind that loading looks at, and runtime state. */
export const FILES = {
  "logic.py": "print('hello')\n",
  "config.yaml": "model: {temperature: 0.2}\n",
  "prompts/answer.md": "Answer.\nBe short.\n",
  "tools/search.tool.json": '{"name": "search"}\n',
  "data/handbook.md": "# Handbook\n",
  "state.json": '{"asked": 1}\n',
};

/** An agent of these files whose version 1.0.0 is in force. */
export async function agentInForce(files: Readonly<Record<string, string>> = {}): Promise<SmallAgent> {
  const agent = await smallAgent({ ...FILES, ...files });
  await agent.create();
  return agent;
}

/** What loading ends with: the code, and what the message and its data say. */
export async function refusal(dir: string): Promise<{ code: string; message: string; hint: string; paths: unknown }> {
  const cause = await loadAgent(dir).then(
    () => {
      throw new Error("it was loaded");
    },
    (error) => error,
  );
  return { code: cause.code, message: cause.message, hint: cause.hint, paths: cause.data?.paths };
}
