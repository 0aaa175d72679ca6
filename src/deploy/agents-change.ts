import { stageLinks } from "../operation/apply-links.js";
import { type LiveChange, NO_AGENTS } from "../operation/live-change.js";
import type { CommandOutcome, StartOutcome } from "../system/agent-process.js";
import type { EndedBeside } from "../system/end-beside.js";
import { asSentence, behindColon } from "../system/why-failed.js";
import { type BlueGreen, commandFailed } from "./blue-green.js";
import type { PlannedSwitch } from "./switch-deployment.js";

/** What became of starting or stopping an agent. */
export interface AgentChange {
  readonly ok: boolean;
  readonly durationMs: number;
  readonly error: string | null;
}

export interface StartedChange extends AgentChange {
  /** Its health passed before it was started, so that it does not tell this agent from the one that ran. */
  readonly answeredBefore: boolean;
  /**
   * How long it took to start it once more behind the switch, because it had not survived that what ran before was ended; null where
   * it had.
   */
  readonly againMs: number | null;
}

/** The agents' part of a deployment, and what became of them. */
export class AgentsChange {
  readonly #agents: BlueGreen | undefined;
  readonly #planned: PlannedSwitch;
  #started: StartOutcome | null = null;
  #others: EndedBeside = { ended: null, again: null };

  constructor(agents: BlueGreen | undefined, planned: PlannedSwitch) {
    this.#agents = agents;
    this.#planned = planned;
  }

  get told(): { readonly started: StartedChange | null; readonly stopped: AgentChange | null } {
    const started = this.#started;
    const { ended, again } = this.#others;
    return {
      started: started && {
        ...changeOf(started),
        answeredBefore: started.answeredBefore,
        againMs: again?.durationMs ?? null,
      },
      stopped: ended && changeOf(ended),
    };
  }

  /** E126 where the new agent is not well. */
  async start(): Promise<void> {
    const { starts } = this.#agents ?? {};
    this.#started = (await this.#agents?.startNew(this.#planned.written)) ?? null;
    if (this.#started?.ok === false && starts) throw commandFailed("lifecycle.start", starts, this.#started);
  }

  async stopOthers(): Promise<void> {
    if (this.#agents) this.#others = await this.#agents.stopOld();
  }

  /**
   * E126 where the new agent did not survive that the others were ended, and does not come up again: `operation`, in its data, had
   * switched to it, or nothing had.
   */
  requireSurvived(operation: string | null): void {
    const { again } = this.#others;
    const { starts } = this.#agents ?? {};
    if (again?.ok !== false || !starts) return;
    const now = operation === null ? " No agent runs now." : "";
    const error = `It was well until what ran before was stopped, and did not come up again: ${behindColon(asSentence(again.error ?? ""))}${now}`;
    const hint = "Let `lifecycle.stop` end the agent of its own version and folder alone, which `pkill` does not.";
    throw commandFailed("lifecycle.start", starts, { ...again, error }, { hint, data: { operation } });
  }

  get live(): LiveChange {
    const { link } = this.#planned;
    return {
      before: this.#agents?.before ?? NO_AGENTS,
      after: this.#agents?.after ?? NO_AGENTS,
      inWorkTree: false,
      stage: (folder) => stageLinks(folder, link === null ? [] : [link]),
      handOver: () => this.start(),
      takeBack: async () => this.#agents?.stopNew(),
      settle: async (switched) => {
        if (switched) await this.stopOthers();
      },
    };
  }
}

const changeOf = ({ ok, durationMs, error }: CommandOutcome): AgentChange => ({ ok, durationMs, error });
