import type { ProgramProbe } from "../../system/doctor-programs.js";
import { type Check, missing, ok, warn } from "./check.js";

interface Wanted {
  name: string;
  for: string;
  package: string;
  required: boolean;
}

export const PROGRAMS: readonly Wanted[] = [
  { name: "git", for: "everything", package: "git", required: true },
  { name: "flock", for: "locks", package: "util-linux", required: true },
  { name: "tar", for: "reading what a sandbox changed", package: "tar", required: true },
  { name: "gpg", for: "checking signatures by hand", package: "gnupg", required: false },
  { name: "sqlite3", for: "capturing SQLite state", package: "sqlite3", required: false },
  { name: "man", for: "`git kai-version --help`", package: "man-db", required: false },
];

const GIT_NEEDED = [2, 36];
const GIT_RECOMMENDED = [2, 39];
const NODE_NEEDED = [20, 19];

/** One check a program. git 2.36 brought core.fsync, without which a crash may lose what was said to be written. */
export function checkPrograms(probes: readonly ProgramProbe[]): Check[] {
  return PROGRAMS.map((wanted) => {
    const version = probes.find(({ name }) => name === wanted.name)?.version;
    if (version === undefined) {
      const remedy = `Run \`sudo apt-get install -y ${wanted.package}\`.`;
      return (wanted.required ? missing : warn)(wanted.name, `not installed; needed for ${wanted.for}`, remedy);
    }
    return wanted.name === "git" ? checkGit(version) : ok(wanted.name, version);
  });
}

function checkGit(version: string): Check {
  const update = "Update git; Debian's backports have newer ones.";
  if (isBelow(version, GIT_NEEDED)) return missing("git", `${version}; 2.36 or newer is needed`, update);
  if (isBelow(version, GIT_RECOMMENDED)) return warn("git", `${version}; 2.39 or newer is recommended`, update);
  return ok("git", version);
}

export function checkNode(version: string): Check {
  return isBelow(version, NODE_NEEDED)
    ? missing("node", `${version}; 20.19 or newer is needed`, "Install a newer Node.js.")
    : ok("node", version);
}

function isBelow(version: string, [major = 0, minor = 0]: readonly number[]): boolean {
  const [ours = 0, part = 0] = version.split(".").map(Number);
  return ours < major || (ours === major && part < minor);
}
