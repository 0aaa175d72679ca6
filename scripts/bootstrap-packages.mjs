// The programs that the demo and the tests drive, and the Debian packages that bring them.
import { spawnSync } from "node:child_process";
import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";
import path from "node:path";

// Programs of the system's administrator, and podman's own parts, are not on everybody's PATH.
const SYSTEM_FOLDERS = [
  "/usr/local/sbin",
  "/usr/sbin",
  "/sbin",
  "/usr/bin",
  "/bin",
  "/usr/libexec/podman",
  "/usr/lib/podman",
];

const NEEDED = [
  { program: "git", package: "git" },
  { program: "gpg", package: "gnupg" },
  // A sandbox sees the host's /usr alone, so a python3 in a home folder does not do.
  { program: "python3", package: "python3", folders: ["/usr/bin"] },
  { program: "sqlite3", package: "sqlite3" },
  { program: "podman", package: "podman" },
  { program: "runc", package: "runc" },
  { program: "catatonit", package: "catatonit" },
  { program: "newuidmap", package: "uidmap" },
  { program: "netavark", package: "netavark" },
  { program: "aardvark-dns", package: "aardvark-dns" },
  { program: "iptables", package: "iptables" },
  { program: "fuse-overlayfs", package: "fuse-overlayfs" },
  { program: "slirp4netns", package: "slirp4netns" },
  { program: "flock", package: "util-linux" },
  { program: "mkfs.ext4", package: "e2fsprogs" },
  { program: "tc", package: "iproute2" },
];

const NEEDED_BY_TESTS = [
  // It becomes the only program of a container, where there is no library to link with.
  { program: "busybox", package: "busybox-static", test: isStatic },
  { program: "strace", package: "strace" },
  { program: "man", package: "man-db" },
  { program: "ssh-keygen", package: "openssh-client" },
  { program: "gpgsm", package: "gpgsm" },
  { program: "git-lfs", package: "git-lfs" },
  // The newest Node, which npm brings, is linked with it.
  { program: "ldconfig", package: "libatomic1", test: knowsLibatomic },
];

/** The packages that are missing for `purpose`, which is `demo` or `test`. */
export function missingPackages(purpose, searchPath = process.env.PATH ?? "") {
  const folders = [...searchPath.split(":").filter(Boolean), ...SYSTEM_FOLDERS];
  const needed = purpose === "test" ? [...NEEDED, ...NEEDED_BY_TESTS] : NEEDED;
  return needed
    .filter((each) => {
      const found = findProgram(each.program, each.folders ?? folders);
      return found === undefined || (each.test !== undefined && !each.test(found));
    })
    .map((each) => each.package);
}

/** Installs Debian packages without a question. Gives undefined when it could, or else why not and the one command to run. */
export function installPackages(packages, say) {
  const install = `apt-get install -y --no-install-recommends ${packages.join(" ")}`;
  const command = `sudo sh -c 'apt-get update && ${install}'`;
  if (findProgram("apt-get", SYSTEM_FOLDERS) === undefined) {
    return {
      reason: `This machine has no apt-get. Install what these Debian packages bring`,
      command: packages.join(" "),
    };
  }
  const asRoot = rootPrefix();
  if (asRoot === undefined) return { reason: "This user may not install packages. Run once", command };
  say(`Installing ${packages.join(", ")}`);
  const options = ["-qq", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0"];
  const [file, ...before] = [...asRoot, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", ...options];
  // An index that could not be brought up to date may still do for what is wanted.
  spawnSync(file, [...before, "update"], { stdio: ["ignore", "ignore", "inherit"] });
  const { status } = spawnSync(file, [...before, "install", "-y", "--no-install-recommends", ...packages], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status === 0) return undefined;
  return {
    reason: "The packages could not be installed. Try",
    command: asRoot.length > 0 ? command : `apt-get update && ${install}`,
  };
}

function knowsLibatomic(ldconfig) {
  return spawnSync(ldconfig, ["-p"], { encoding: "utf8" }).stdout.includes("libatomic.so.1");
}

function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  return spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0 ? ["sudo", "-n"] : undefined;
}

function findProgram(name, folders) {
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function isStatic(file) {
  const start = Buffer.alloc(4096);
  const descriptor = openSync(file, "r");
  readSync(descriptor, start);
  closeSync(descriptor);
  // The dynamic loader of every architecture is named near the beginning of a program that needs it.
  return !start.includes("ld-linux") && !start.includes("/ld64.so") && !start.includes("/ld.so");
}
