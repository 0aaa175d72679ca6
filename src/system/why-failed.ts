import { existsSync } from "node:fs";
import type { AgentCommand } from "./agent-command.js";

/** How a shell came to its end; `problem`: that it could not even be started. */
export interface CommandEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly problem: string | null;
  readonly output: string;
}

/** Why a command counts as failed; null where it ended with status 0. */
export function whyFailed(end: CommandEnd, { cwd, timeoutMs }: AgentCommand): string | null {
  if (end.problem !== null) {
    return existsSync(cwd)
      ? `It could not be started: ${end.problem}.`
      : `It could not be started: the folder ${cwd} is not there.`;
  }
  const last = lastLine(end.output);
  if (end.timedOut) return withWords(`It was not done after ${seconds(timeoutMs)} and was ended`, last);
  if (end.signal !== null) return withWords(`It was ended by ${end.signal}`, last);
  return end.exitCode === 0 ? null : withWords(`It ended with status ${end.exitCode}`, last);
}

/** What a command printed last need not end as a sentence does. */
export const asSentence = (text: string): string => (text === "" || /[.!?]$/.test(text) ? text : `${text}.`);

/** A sentence as it goes on behind a colon. */
export const behindColon = (sentence: string): string => sentence.charAt(0).toLowerCase() + sentence.slice(1);

const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;

const withWords = (what: string, words: string): string => (words === "" ? `${what}.` : `${what}: ${words}`);

const SHOWN = 200;

/** The last line that says something, without control characters. */
function lastLine(output: string): string {
  const lines = output.split(/[\r\n]+/).map((line) => line.replace(/\p{Cc}+/gu, " ").trim());
  const last = lines.findLast((line) => line !== "") ?? "";
  return last.length > SHOWN ? `${last.slice(0, SHOWN)}…` : last;
}
