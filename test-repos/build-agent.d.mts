export interface AgentDescription {
  name: string;
  summary: string;
  /** In the order in which they are applied. */
  steps: string[];
}

export interface BuildOptions {
  /** The environment for git; its GIT_* variables are not used but for GIT_DEFAULT_HASH. */
  env: NodeJS.ProcessEnv;
}

export declare function listAgents(): AgentDescription[];
export declare function buildAgent(name: string, dest: string, options: BuildOptions): Promise<string>;
export declare function applyStep(
  name: string,
  step: string,
  dest: string,
  options: BuildOptions & { date?: Date },
): Promise<string>;
/** Adds how the agent is run to the kai.yaml that is in `dest`; after its step `service`. */
export declare function addLifecycle(name: string, dest: string): Promise<void>;
