export declare class DemoFailure extends Error {}

export interface Stage {
  readonly timings: { line: string; milliseconds: number }[];
  title(text: string): void;
  scene(text: string): void;
  say(text: string): void;
  /** Gives what the command printed on both streams. */
  run(line: string, expected?: { status?: number; shows?: string }): Promise<string>;
  /** Kills the command, and all that it started in its process group, as soon as `when` holds. */
  pullThePlug(line: string, when: () => boolean): Promise<void>;
  summary(): void;
}

export interface StageOptions {
  cwd: string;
  env: NodeJS.ProcessEnv;
  out: { write(chunk: string | Uint8Array): unknown; isTTY?: boolean };
}

export declare function openStage(options: StageOptions): Stage;
