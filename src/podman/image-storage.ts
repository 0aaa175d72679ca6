import { runPodman } from "./podman.js";

/** Where podman has images and containers: in folders below `root` whose names begin with the driver. */
export interface ImageStorage {
  readonly root: string;
  readonly driver: string;
}

/** Asks podman where its storage is; undefined where it does not say. */
export async function readStorage(env: NodeJS.ProcessEnv): Promise<ImageStorage | undefined> {
  const format = "{{.Store.GraphDriverName}} {{.Store.GraphRoot}}";
  const { exitCode, stdout } = await runPodman(["info", "--format", format], { env });
  const { driver, root } = /^(?<driver>\S+) (?<root>\/.*)\n/.exec(stdout.toString())?.groups ?? {};
  return exitCode === 0 && driver !== undefined && root !== undefined ? { driver, root } : undefined;
}
