import { stat } from "node:fs/promises";
import path from "node:path";

/** They are in a container on this machine's programs as they are. */
const THERE = ["/usr", "/bin", "/sbin", "/lib", "/lib64"];
/** Where what is installed beside the system lies. */
const ADDED = "/opt";
/** What programs have beside the `bin` that they lie in. */
const BESIDE_BIN = ["lib", "lib64", "libexec", "pyvenv.cfg"];

/**
 * The folders of programs that lie elsewhere than the system's own: /opt, and those of PATH, such as a Node in the user's home, with
 * the libraries beside them; none that the agent lies in, or that lies in the agent.
 */
export async function listProgramFolders(env: NodeJS.ProcessEnv, workTree: string): Promise<string[]> {
  const { PATH = "", HOME: home } = env;
  const named = PATH.split(":").filter((each) => path.isAbsolute(each) && !/[,\n]/.test(each));
  const folders = named.map((each) => path.join(each, ".").replace(/(?<=.)\/$/, ""));
  const wanted = folders.flatMap((each) => [
    each,
    ...(path.basename(each) === "bin" ? BESIDE_BIN.map((name) => path.join(path.dirname(each), name)) : []),
  ]);
  const meant = [...new Set([ADDED, ...wanted])].filter(
    (each) =>
      each !== home &&
      each !== "/" &&
      !THERE.some((there) => isBelow(each, there)) &&
      !isBelow(each, workTree) &&
      !isBelow(workTree, each),
  );
  const there = await Promise.all(meant.map((each) => stat(each).catch(() => undefined)));
  return meant.filter((_each, index) => there[index] !== undefined);
}

/** Whether a path is a folder or lies in it; both absolute and without `.`. */
export const isBelow = (inside: string, folder: string): boolean =>
  inside === folder || inside.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
