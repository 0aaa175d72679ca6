import path from "node:path";
import { KaiError } from "../error.js";
import { findProgram } from "../system/find-program.js";

const USUAL_PLACES = ["/usr/libexec/podman", "/usr/lib/podman", "/usr/bin"];

/** Podman's own way to wait: a static program that reaps its children and ends at once on SIGTERM. */
const IDLE_PROGRAM = "catatonit";

export const INSTALL_IDLE_PROGRAM = `sudo apt-get install -y ${IDLE_PROGRAM}`;

/** Where it is on this host, links followed. */
export const findIdleProgram = (env: NodeJS.ProcessEnv, places: readonly string[] = USUAL_PLACES): string | undefined =>
  findProgram(IDLE_PROGRAM, [...places, ...(env["PATH"] ?? "").split(":").filter(path.isAbsolute)]);

/** The same, or E117 with the package that brings it. */
export function requireIdleProgram(env: NodeJS.ProcessEnv, places?: readonly string[]): string {
  const found = findIdleProgram(env, places);
  if (found !== undefined) return found;
  throw new KaiError("E117", `The program ${IDLE_PROGRAM} was not found, and a snapshot waits with it.`, {
    hint: `Run \`${INSTALL_IDLE_PROGRAM}\`, then \`git kai-version doctor\`.`,
  });
}
