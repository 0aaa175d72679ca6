import { COMMAND_ENDING_MS, START_ENDING_MS, STOP_ENDING_MS } from "../system/agent-process.js";
import { LONGEST_LOOK_MS } from "../system/unmarked-agent.js";
import type { StepType } from "./step-types.js";

/** Milliseconds beyond the time of a step's command, until what did not end in it was ended, and seen to be. */
const ENDING: Partial<Readonly<Record<StepType, number>>> = {
  stop_agent: STOP_ENDING_MS + LONGEST_LOOK_MS,
  start_agent: START_ENDING_MS,
};

/** What a step takes at most, in milliseconds: one without a command is not waited for any longer than its time. */
export const longestTime = (type: StepType, timeoutMs: number, { hasCommand }: { hasCommand: boolean }): number =>
  hasCommand ? timeoutMs + (ENDING[type] ?? COMMAND_ENDING_MS) : timeoutMs;
